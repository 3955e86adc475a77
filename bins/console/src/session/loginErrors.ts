/** Why signing in through an identity provider did not work, from the fragment of the sign-in page's address. */

const REASONS: Record<string, string> = {
  provider_unknown: 'This identity provider is not set up here, or it is switched off. Choose another way to sign in.',
  provider_unavailable: 'The identity provider cannot be reached at the moment. Try again in a few minutes.',
  state_invalid: 'This sign-in was finished already or took longer than ten minutes. Start it again.',
  browser_mismatch: 'This sign-in was started in another browser. Start it again in this one.',
  provider_refused: 'The identity provider did not let you in. Try again, or ask its administrator.',
  response_invalid:
    'The identity provider sent an answer that cannot be trusted. Tell your administrator the reference.',
  token_invalid: 'The identity provider sent a proof that does not check out. Tell your administrator the reference.',
  account_inactive: 'Your account here is deactivated. Ask your administrator to activate it.',
  not_provisioned: 'You have no account here yet, and none is made by signing in. Ask your administrator for one.',
};

export interface LoginError {
  message: string;
  /** Under which the administrator finds what went wrong. */
  reference: string | null;
}

export function readLoginError(fragment: string): LoginError | null {
  const values = new URLSearchParams(fragment.replace(/^#/, ''));
  const code = values.get('error');
  if (!code) return null;
  const reference = values.get('ref');
  return {
    message: (Object.hasOwn(REASONS, code) && REASONS[code]) || 'Signing in did not work. Try again.',
    // Shown, so nothing but what a reference is made of.
    reference: reference && /^[A-Za-z0-9-]{4,64}$/.test(reference) ? reference : null,
  };
}

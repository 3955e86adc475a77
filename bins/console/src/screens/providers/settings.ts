import type { CreateOidcProvider, OidcProvider, RoleMapping, UpdateOidcProvider } from '../../api/types';

/** What the form edits. */
export interface Values {
  name: string;
  enabled: boolean;
  issuer: string;
  client_id: string;
  /** What was typed; empty leaves the present one. */
  client_secret: string;
  remove_client_secret: boolean;
  token_endpoint_auth_method: string;
  scopes: string[];
  id_token_signing_algs: string[];
  groups_claim: string;
  auto_provision: boolean;
  link_verified_email: boolean;
  verified_domains: string[];
  default_role: string;
  role_mappings: RoleMapping[];
}

/** Asymmetric ones: with a symmetric one, whoever can check a token can make one. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'];

export const AUTH_METHODS: { value: string; label: string }[] = [
  { value: 'client_secret_basic', label: 'Client secret in the header (basic)' },
  { value: 'client_secret_post', label: 'Client secret in the body (post)' },
  { value: 'none', label: 'No client secret (public client)' },
];

export const NEW: Values = {
  name: '',
  enabled: true,
  issuer: '',
  client_id: '',
  client_secret: '',
  remove_client_secret: false,
  token_endpoint_auth_method: 'client_secret_basic',
  scopes: ['openid', 'profile', 'email'],
  id_token_signing_algs: ['RS256', 'PS256', 'ES256'],
  groups_claim: 'groups',
  auto_provision: true,
  link_verified_email: false,
  verified_domains: [],
  default_role: 'viewer',
  role_mappings: [],
};

export function valuesOf(provider: OidcProvider): Values {
  const { id: _id, has_client_secret: _has, redirect_uri: _redirect, ...rest } = provider;
  const values = { ...NEW };
  for (const name of Object.keys(NEW) as (keyof Values)[]) {
    if (name in rest) Object.assign(values, { [name]: structuredClone(rest[name as keyof typeof rest]) });
  }
  return values;
}

function settingsOf(values: Values) {
  const { client_secret: _secret, remove_client_secret: _remove, ...settings } = values;
  return {
    ...settings,
    name: settings.name.trim(),
    issuer: settings.issuer.trim(),
    client_id: settings.client_id.trim(),
    groups_claim: settings.groups_claim.trim(),
  };
}

export function toCreate(values: Values): CreateOidcProvider {
  return { ...settingsOf(values), ...(values.client_secret ? { client_secret: values.client_secret } : {}) };
}

/** Only what is different: another administrator may be changing the rest. */
export function toUpdate(values: Values, before: OidcProvider): UpdateOidcProvider {
  const update: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(settingsOf(values))) {
    if (JSON.stringify(value) !== JSON.stringify(before[name as keyof OidcProvider])) update[name] = value;
  }
  if (values.remove_client_secret) update.client_secret = null;
  else if (values.client_secret) update.client_secret = values.client_secret;
  return update as UpdateOidcProvider;
}

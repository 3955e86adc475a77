/** What the actions of the audit log mean, in words. One that is not here is shown by its name. */
export const ACTIONS: Record<string, string> = {
  'session.sign_in': 'Sign-in',
  'session.confirm': 'Sign-in confirmed in the browser',
  'session.sign_out': 'Sign-out',
  'session.end': 'Session ended',
  'session.end_all': 'Sessions ended',
  'account.throttle': 'Sign-in held up after many failures',
  'password.change': 'Password changed',
  'password.reset': 'Password reset',
  'user.create': 'User created',
  'user.update': 'User changed',
  'user.delete': 'User deleted',
  'user.import': 'User imported',
  'identity.link': 'Identity linked to an account',
  'provider.create': 'Identity provider created',
  'provider.update': 'Identity provider changed',
  'provider.pin': 'Addresses of an identity provider pinned',
  'provider.delete': 'Identity provider deleted',
  'provider.test': 'Identity provider tested',
  'component.create': 'Component created',
  'component.update': 'Component changed',
  'component.approve': 'Component approved',
  'component.rotate': 'Key rotated',
  'component.request_rotation': 'Component asked to rotate its key',
  'component.revoke': 'Component revoked',
  'component.restore': 'Component restored',
  'component.delete': 'Component deleted',
  'component.register': 'Component registered',
  'component.reenroll': 'Component registered again',
  'fleet.rotate': 'Rotation of the fleet begun',
  'fleet.end_rotation': 'Rotation of the fleet ended',
  'enrollment_token.create': 'Enrollment token created',
  'enrollment_token.delete': 'Enrollment token deleted',
  'enrollment_request.dismiss': 'Request for a place put aside',
  'config.set': 'Configuration set',
  'config.report': 'Configuration reported on',
  'key.first_use': 'Key used for the first time',
  'key.leak_report': 'Key reported as leaked',
  'key.refuse': 'Key refused',
  'key.corrupt': 'Key with stored forms that disagree',
  'access.deny': 'Access denied by role',
  'access.refuse_origin': 'Request from another site refused',
  'access.rate_limit': 'Rate limit reached',
  'server.panic': 'Fault in the server',
};

const GROUPS: Record<string, string> = {
  session: 'Sessions',
  account: 'Accounts and passwords',
  password: 'Accounts and passwords',
  user: 'Users',
  identity: 'Identity providers',
  provider: 'Identity providers',
  component: 'Components',
  fleet: 'Components',
  enrollment_token: 'Enrollment',
  enrollment_request: 'Enrollment',
  config: 'Configurations',
  key: 'Keys',
  access: 'Access',
  server: 'Server',
};

export function actionName(action: string): string {
  return ACTIONS[action] ?? action;
}

/** For a field to choose from, in groups. */
export function actionChoices() {
  const groups = new Map<string, { value: string; label: string }[]>();
  for (const [value, label] of Object.entries(ACTIONS)) {
    const group = GROUPS[value.split('.')[0] ?? ''] ?? 'Other';
    groups.set(group, [...(groups.get(group) ?? []), { value, label }]);
  }
  return [...groups].map(([group, items]) => ({ group, items }));
}

export const OUTCOMES = ['success', 'failure', 'denied'] as const;
export const OUTCOME_NAMES: Record<string, string> = { success: 'Success', failure: 'Failure', denied: 'Denied' };

export const RESOURCES = ['user', 'session', 'component', 'key', 'enrollment_token', 'provider', 'endpoint'] as const;
export const RESOURCE_NAMES: Record<string, string> = {
  user: 'User',
  session: 'Session',
  component: 'Component',
  key: 'Key',
  enrollment_token: 'Enrollment token',
  provider: 'Identity provider',
  endpoint: 'Endpoint',
};

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type RoleName = (typeof ROLES)[number];

export const ROLE_NAMES: Record<string, string> = { viewer: 'Viewer', operator: 'Operator', admin: 'Administrator' };

/** What each may do, in the words of the product. */
export const ROLE_MEANINGS: Record<RoleName, string> = {
  viewer: 'Sees components and measurements.',
  operator: 'Sees what a viewer sees, and sets the configurations of collectors.',
  admin: 'May do everything: users, components and their keys, identity providers, the audit log.',
};

export const SOURCE_NAMES: Record<string, string> = {
  local: 'Password here',
  ldap: 'Directory',
  oidc: 'Identity provider',
};

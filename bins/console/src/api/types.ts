import type { components } from './schema';

type Schemas = components['schemas'];

export type Me = Schemas['Me'];
export type SignedIn = Schemas['SignedIn'];
export type SessionInfo = Schemas['Session'];
export type User = Schemas['User'];
export type Component = Schemas['Component'];
export type FleetRotation = Schemas['FleetRotation'];
export type StartFleetRotation = Schemas['StartFleetRotation'];
export type AuditEntry = Schemas['AuditEntry'];
export type AuditStats = Schemas['AuditStats'];
export type LastReport = Schemas['LastReport'];

export type ComponentStatus = 'pending' | 'active' | 'offline' | 'revoked';
export type ComponentKind = 'agent' | 'collector';

export type OidcProvider = Schemas['OidcProvider'];
export type CreateOidcProvider = Schemas['CreateOidcProvider'];
export type UpdateOidcProvider = Schemas['UpdateOidcProvider'];
export type RoleMapping = Schemas['RoleMapping'];
export type DryRunResult = Schemas['DryRunResult'];
export type Attempt = Schemas['Attempt'];

export type EnrollmentToken = Schemas['EnrollmentToken'];
export type CreateEnrollmentToken = Schemas['CreateEnrollmentToken'];
export type EnrollmentRequest = Schemas['EnrollmentRequest'];

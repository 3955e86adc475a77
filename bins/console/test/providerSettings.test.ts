import { describe, expect, it } from 'vitest';
import type { OidcProvider } from '../src/api/types';
import { NEW, toCreate, toUpdate, valuesOf } from '../src/screens/providers/settings';

const PROVIDER: OidcProvider = {
  id: '4c6a9a3e-2f0c-4f0e-9f62-0b8f1a1d2c3b',
  name: 'Example ID',
  enabled: true,
  issuer: 'https://id.example.com',
  client_id: 'stratora',
  has_client_secret: true,
  token_endpoint_auth_method: 'client_secret_basic',
  scopes: ['openid'],
  id_token_signing_algs: ['RS256'],
  groups_claim: 'groups',
  auto_provision: true,
  link_verified_email: false,
  verified_domains: [],
  default_role: 'viewer',
  role_mappings: [{ group: 'ops', role: 'operator', priority: 10 }],
  redirect_uri: 'https://stratora.example.com/api/v1/auth/oidc/callback',
  backchannel_logout_uri: 'https://stratora.example.com/api/v1/auth/oidc/backchannel-logout',
  post_logout_redirect_uri: 'https://stratora.example.com/login',
  endpoints: null,
  created_at: '2026-01-31T12:00:00Z',
};

describe('the settings of a provider', () => {
  it('sends nothing when nothing was changed', () => {
    expect(toUpdate(valuesOf(PROVIDER), PROVIDER)).toEqual({});
  });

  it('sends what was changed and nothing else', () => {
    const values = { ...valuesOf(PROVIDER), name: 'Another', role_mappings: [] };
    expect(toUpdate(values, PROVIDER)).toEqual({ name: 'Another', role_mappings: [] });
  });

  it('keeps, replaces or removes the client secret', () => {
    const values = valuesOf(PROVIDER);
    expect(toUpdate(values, PROVIDER)).not.toHaveProperty('client_secret');
    expect(toUpdate({ ...values, client_secret: 'new' }, PROVIDER)).toEqual({ client_secret: 'new' });
    expect(toUpdate({ ...values, client_secret: 'new', remove_client_secret: true }, PROVIDER)).toEqual({
      client_secret: null,
    });
  });

  it('edits a copy', () => {
    valuesOf(PROVIDER).role_mappings.push({ group: 'x', role: 'admin', priority: 1 });
    expect(PROVIDER.role_mappings).toHaveLength(1);
  });

  it('creates without the fields of the form that are not of the API', () => {
    const body = toCreate({ ...NEW, name: ' Example ', issuer: 'https://id.example.com', client_id: 'stratora' });
    expect(body.name).toBe('Example');
    expect(body).not.toHaveProperty('remove_client_secret');
    expect(body).not.toHaveProperty('client_secret');
  });
});

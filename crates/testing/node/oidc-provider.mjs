// A certified OpenID provider for tests: node oidc-provider.mjs '<settings>'
//
// It prints `control <url>` and `listening <issuer>` when it is ready, then `request <method> <path>` for each request.
// Settings, all but accounts and clients optional:
//   port, host, path   of the issuer; it listens on the loopback interface whatever the host
//   tls                {cert, key}: files in PEM
//   mode               auto: redirects only; form: a page that asks for username and password; refuse: access_denied
//   account            the username that auto signs in; else the first
//   accounts           [{username, password, claims: {sub, ...}}]; claims are given out as they are
//   clients            [{client_id, client_secret, redirect_uris, ...}]: metadata of OpenID Connect registration
//   claims             {scope: [claim]}
//   pkce               false: clients may leave it out

import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';

import Provider from 'oidc-provider';

import { backchannelFetch, endSessions } from './provider/logout.mjs';
import { interact } from './provider/interaction.mjs';
import { signingKeys } from './provider/keys.mjs';
import { Storage } from './provider/storage.mjs';

// `groups` under both names by which real providers hand it out: within the profile, or for a scope of its own.
const CLAIMS = {
  openid: ['sub'],
  email: ['email', 'email_verified'],
  profile: ['name', 'preferred_username', 'groups'],
  groups: ['groups'],
};

// What a client did wrong is told to it in few words; here is the rest.
const ERRORS = ['authorization', 'grant', 'userinfo', 'end_session', 'backchannel'].map((kind) => `${kind}.error`);

const settings = { mode: 'auto', port: 0, host: '127.0.0.1', path: '', ...JSON.parse(process.argv[2]) };
const storage = new Storage();
const cookieKeys = [randomBytes(32).toString('hex')];
let provider;
let serve;

// A provider reads its keys once, so new keys are a new provider on the same storage.
async function startProvider(issuer) {
  provider = new Provider(issuer, {
    adapter: storage.adapter,
    jwks: { keys: await signingKeys() },
    clients: settings.clients,
    claims: settings.claims ?? CLAIMS,
    // Else the claims of a scope are only at the userinfo endpoint when there is an access token.
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    pkce: { required: () => settings.pkce !== false },
    cookies: { keys: cookieKeys },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: true, logoutSource },
      backchannelLogout: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
    },
    fetch: backchannelFetch,
    findAccount: (ctx, sub) => findAccount(sub),
    interactions: { url: (ctx, interaction) => `${mount()}/interaction/${interaction.uid}` },
    loadExistingGrant: grantEverything,
    renderError: (ctx, out) => { ctx.type = 'text'; ctx.body = `${out.error}: ${out.error_description}`; },
  });
  for (const event of [...ERRORS, 'server_error']) {
    provider.on(event, (ctx, error) => console.error(event, error.error_detail ?? error.error_description ?? error));
  }
  serve = provider.callback();
}

function mount() {
  return settings.path.replace(/\/$/, '');
}

function findAccount(sub) {
  const account = settings.accounts.find(({ claims }) => claims.sub === sub);
  return account && { accountId: sub, claims: () => structuredClone(account.claims) };
}

// Consent is never asked for.
async function grantEverything(ctx) {
  const { client, session, requestParamScopes } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant = (known && await provider.Grant.find(known))
    || new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope([...requestParamScopes].join(' '));
  await grant.save(24 * 60 * 60);
  return grant;
}

function logoutSource(ctx, form) {
  const confirm = settings.mode === 'form'
    ? '<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>'
    : '<script>document.forms[0].submit()</script>';
  const yes = settings.mode === 'form' ? '' : '<input type="hidden" name="logout" value="yes">';
  ctx.body = `<!DOCTYPE html><title>Sign out</title>${form.replace('</form>', `${yes}</form>`)}${confirm}`;
}

async function handle(request, response) {
  const path = request.url.split('?')[0];
  // Before it is answered, so that whoever has the answer finds the line. Queries hold codes and states.
  console.log(`request ${request.method} ${path}`);
  const prefix = mount();
  if (prefix && path !== prefix && !path.startsWith(`${prefix}/`)) {
    response.writeHead(404).end();
    return;
  }
  if (path.startsWith(`${prefix}/interaction/`)) {
    await interact(provider, settings, request, response);
    return;
  }
  request.originalUrl = request.url;
  request.url = request.url.slice(prefix.length) || '/';
  await serve(request, response);
}

// What only the test may do, at a port of its own: POST with JSON.
const COMMANDS = {
  '/rotate': async () => {
    await startProvider(provider.issuer);
    console.log('rotated');
    return {};
  },
  '/end-session': ({ username }) => {
    const account = settings.accounts.find((one) => one.username === username);
    if (!account) throw new Error(`there is no account ${username}`);
    return endSessions(provider, storage, account.claims.sub);
  },
  // Who signs in next, and how.
  '/set': async (changes) => {
    const fixed = Object.keys(changes).filter((name) => !['mode', 'account', 'accounts'].includes(name));
    if (fixed.length) throw new Error(`fixed at the start: ${fixed}`);
    Object.assign(settings, changes);
    return {};
  },
};

async function control(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const command = COMMANDS[request.url];
  if (!command) throw new Error(`there is no ${request.url}`);
  const answer = await command(JSON.parse(Buffer.concat(chunks).toString() || '{}'));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

function answering(handler) {
  return (request, response) => {
    handler(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(String(error));
    });
  };
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server.address().port));
  });
}

const { tls } = settings;
const server = tls
  ? createHttpsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, answering(handle))
  : createHttpServer(answering(handle));
const port = await listen(server, settings.port);
await startProvider(`${tls ? 'https' : 'http'}://${settings.host}:${port}${settings.path}`);
// Else a client's metadata is only looked at when it is asked for.
for (const { client_id: id } of settings.clients) await provider.Client.find(id);
const controlPort = await listen(createHttpServer(answering(control)), 0);
console.log(`control http://127.0.0.1:${controlPort}`);
console.log(`listening ${provider.issuer}`);

// Sessions that end at the provider, and how clients are told.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

// The library's own dispatcher refuses loopback addresses, where everything is in a test, and no client's certificate
// would be believed: it was made a moment ago.
export function backchannelFetch(url, { method, headers, body, signal }) {
  const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(headers), signal, rejectUnauthorized: false };
    const request = send(url, options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(new Response(null, { status: answer.statusCode })));
    });
    request.on('error', reject);
    request.end(body?.toString());
    sent = { url: String(url), token: new URLSearchParams(body).get('logout_token') };
  });
}

// The last back-channel request, for a test that sends it once more.
let sent;

// Ends every session of an account. Returns what each client was told and what it answered.
export async function endSessions(provider, storage, accountId) {
  const told = [];
  for (const id of storage.sessionIds(accountId)) {
    const session = await provider.Session.find(id);
    for (const [clientId, { sid, grantId }] of Object.entries(session?.authorizations ?? {})) {
      const client = await provider.Client.find(clientId);
      if (client?.backchannelLogoutUri) told.push(await tell(client, accountId, sid));
      for (const model of [provider.AccessToken, provider.RefreshToken]) await model.revokeByGrantId(grantId);
    }
    await session?.destroy();
  }
  return { told };
}

async function tell(client, accountId, sid) {
  let error = null;
  sent = undefined;
  await client.backchannelLogout(accountId, sid).catch((cause) => { error = cause.message; });
  return { client_id: client.clientId, sid, logout_token: sent?.token ?? null, error };
}

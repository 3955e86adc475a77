// How an account is chosen: at once, or by a page that asks for username and password.

const PAGE = (action, message) => `<!DOCTYPE html>
<html lang="en">
<title>Sign in at the provider</title>
<h1>Sign in at the provider</h1>
<p role="alert">${message}</p>
<form method="post" action="${action}">
  <label>Username <input name="username" autocomplete="username"></label>
  <label>Password <input name="password" type="password" autocomplete="current-password"></label>
  <button type="submit">Sign in</button>
  <button type="submit" name="cancel" value="yes">Cancel</button>
</form>
</html>
`;

const REFUSED = { error: 'access_denied', error_description: 'the <b>user</b> refused' };

export async function interact(provider, settings, request, response) {
  const once = { mergeWithLastSubmission: false };
  const finish = (result) => provider.interactionFinished(request, response, result, once);
  if (settings.mode === 'refuse') {
    await finish(REFUSED);
  } else if (settings.mode === 'auto') {
    const { account: name, accounts } = settings;
    const account = name === undefined ? accounts[0] : accounts.find(({ username }) => username === name);
    await finish({ login: { accountId: account.claims.sub } });
  } else if (request.method === 'POST') {
    await submitted(await form(request), settings, finish, request, response);
  } else {
    page(request, response, 200, '');
  }
}

async function submitted(fields, settings, finish, request, response) {
  if (fields.has('cancel')) {
    await finish(REFUSED);
    return;
  }
  const matches = ({ username, password }) => (
    username === fields.get('username') && password !== undefined && password === fields.get('password')
  );
  const account = settings.accounts.find(matches);
  if (account) {
    await finish({ login: { accountId: account.claims.sub } });
  } else {
    page(request, response, 401, 'Wrong username or password');
  }
}

function page(request, response, status, message) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(PAGE(request.url, message));
}

async function form(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

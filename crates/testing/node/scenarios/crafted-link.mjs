// Opens a link that carries somebody else's token, in a browser that has never been here. Parameters: baseUrl, token.
// The page may try the token by itself; then it is tried once more from within it.

import { callMe } from '../browser/api.mjs';

export default async function craftedLink(context, { baseUrl, token }) {
  const page = await context.newPage();
  await page.goto(`${baseUrl}/#oidc_session=${token}`);
  await page.waitForLoadState('networkidle');
  return { me: await callMe(page, token), url: page.url(), cookies: await context.cookies(baseUrl) };
}

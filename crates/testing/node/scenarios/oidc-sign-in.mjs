// Signs in through a provider, as a person does. Parameters:
//   baseUrl, providerId   of the product
//   mode                  auto: the provider only redirects; form: it shows a page, which takes username and password;
//                         cancel: it shows a page, and the person refuses
//   via                   navigation: the address is entered; link: the one on the page at linkPage (/login) is
//                         clicked; written-link: one that is put onto that page
//   use                   false: the token that is delivered is left unused, by the console too, for use elsewhere
//   then                  an address to open afterwards, such as where to sign out at the provider

import { callMe } from '../browser/api.mjs';

export default async function oidcSignIn(context, parameters, observer) {
  const { baseUrl, mode = 'auto', use = true } = parameters;
  const { origin } = new URL(baseUrl);
  if (!use) await withoutScripts(context, origin);
  const page = await context.newPage();
  await begin(page, parameters);
  if (mode !== 'auto') await answerForm(page, parameters);
  await page.waitForURL((url) => url.origin === origin && !url.pathname.startsWith('/api/'));

  const arrival = observer.arrivals.findLast((url) => new URL(url).origin === origin);
  const { hash: fragment } = new URL(arrival);
  const token = new URLSearchParams(fragment.slice(1)).get('oidc_session');
  const cookies = await context.cookies(baseUrl);
  const me = use && token ? await callMe(page, token) : null;
  const url = page.url();
  return { arrival, fragment, token, cookies, me, url, then: await follow(page, parameters) };
}

async function begin(page, { baseUrl, providerId, via = 'navigation', linkPage = '/login' }) {
  const path = `/api/v1/auth/oidc/authorize/${providerId}`;
  if (via === 'navigation') {
    await page.goto(`${baseUrl}${path}`);
    return;
  }
  await page.goto(`${baseUrl}${linkPage}`);
  if (via === 'written-link') await page.evaluate(writeLink, path);
  await page.locator(`a[href$="${path}"]`).click();
}

async function follow(page, { then }) {
  if (!then) return null;
  await page.goto(then);
  await page.waitForLoadState('networkidle');
  return { url: page.url(), text: await page.locator('body').innerText() };
}

function writeLink(path) {
  const link = document.createElement('a');
  link.href = path;
  link.textContent = 'Sign in';
  document.body.prepend(link);
}

async function answerForm(page, { mode, username, password }) {
  if (mode === 'cancel') {
    await page.getByRole('button', { name: 'Cancel' }).click();
    return;
  }
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function withoutScripts(context, origin) {
  await context.route((url) => url.origin === origin, (route) => (
    route.request().resourceType() === 'script' ? route.abort() : route.continue()
  ));
}

// Takes the pictures of the guide, docs/screenshots, of a server that was never signed in to, with something to show in it.
//   BASE_URL         where the console is served; with --front: the server, and the console is served in front of it
//   ADMIN_PASSWORD   the one-time password that the server printed
//   OUT              where the pictures go; docs/screenshots when absent
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from './browser.mjs';
import { startFront } from './front.mjs';

const { BASE_URL, ADMIN_PASSWORD } = process.env;
if (!BASE_URL || !ADMIN_PASSWORD) {
  console.error('usage: BASE_URL=… ADMIN_PASSWORD=… npm run pictures [-- --front]');
  process.exit(2);
}
const front = process.argv.includes('--front') ? await startFront(BASE_URL) : null;
const base = new URL(front?.url ?? BASE_URL).origin;
const out = process.env.OUT ?? fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url));
const PASSWORD = 'four herons over the lake';
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };

await mkdir(out, { recursive: true });
const browser = await Browser.launch({ base, out });
browser.usual = ['404 GET /api/v1/remote-components/rotate-fleet'];
const context = await browser.context();
context.setDefaultTimeout(60_000);
const page = await context.newPage();

/** The browser's own WebP: text stays sharp at a tenth of the size of a PNG. */
async function picture(name, size = DESK, colorScheme = 'light') {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.evaluate(async () => {
    const moving = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(({ finished }) => finished));
    document.activeElement?.blur();
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
  const session = await context.newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 90 });
  await session.detach();
  await writeFile(join(out, `${name}.webp`), Buffer.from(data, 'base64'));
  console.log(`- ${name}`);
  await page.setViewportSize(DESK);
}

async function call(method, path, body, headers) {
  const token = await page.evaluate(() => localStorage.getItem('stratora.token'));
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', ...(headers ?? { Authorization: `Bearer ${token}` }) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok && response.status !== 401) throw new Error(`${method} ${path}: ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

const go = async (path, there) => {
  await page.goto(base + path);
  await there.waitFor();
};

async function signIn() {
  await go('/login', page.getByRole('heading', { name: 'Sign in' }));
  await page.getByLabel('Username').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(ADMIN_PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('One-time password', { exact: true }).fill(ADMIN_PASSWORD);
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('New password, again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** The components that report, each with its key and what it reports. */
const reporting = [];

const beat = ({ id, key, report }) => call('POST', `/agents/heartbeat/${id}`, report, { 'X-API-Key': key });

/** Begins to rotate the fleet, and has some components do what they are asked. */
async function rotateSome(wanted) {
  for (const component of reporting) await beat(component);
  await call('POST', '/remote-components/rotate-fleet', { wave_size: 6 });
  const waiting = [...reporting];
  for (let done = 0; done < wanted; ) {
    const component = waiting.shift();
    if ((await beat(component)).rotate) {
      const { api_key: key } = await call('POST', `/agents/${component.id}/rotate`, null, {
        'X-API-Key': component.key,
      });
      component.key = key;
      await beat(component);
      done++;
    } else {
      waiting.push(component);
      await page.waitForTimeout(100);
    }
  }
}

/** Components that report, some that do not any more, people, a provider that people try, and tokens. */
async function fill() {
  const sites = ['berlin', 'hamburg', 'lisbon', 'oslo', 'prague', 'riga', 'rome', 'tallinn', 'turin', 'vienna'];
  for (const [index, site] of sites.entries()) {
    const kind = index % 4 === 0 ? 'collector' : 'agent';
    const hostname = `${site}.example.com`;
    const { component, api_key: key } = await call('POST', '/remote-components', {
      name: `${site}-01`,
      kind,
      hostname,
    });
    if (site === 'riga') await call('POST', `/remote-components/${component.id}/revoke`);
    else if (site !== 'turin') {
      const report = { hostname, version: index % 3 === 0 ? '1.4.1' : '1.4.2', os: 'Debian 13' };
      const one = { id: component.id, key, report };
      reporting.push(one);
      await beat(one);
    }
  }
  for (const [username, role] of [
    ['ada', 'operator'],
    ['grace', 'viewer'],
  ])
    await call('POST', '/users', { username, role });
  await call('POST', '/identity-providers/oidc', {
    name: 'Example ID',
    issuer: 'https://id.example.com',
    client_id: 'stratora',
    client_secret: 'a secret of the client',
    role_mappings: [{ group: 'network-operators', role: 'operator' }],
  });
  const [provider] = await (await fetch(`${base}/api/v1/auth/providers`)).json();
  for (let attempt = 0; attempt < 3; attempt++) {
    await fetch(`${base}/api/v1/auth/oidc/authorize/${provider.id}`, { redirect: 'manual' });
  }
  await fetch(`${base}/api/v1/auth/oidc/callback?state=unknown&code=x`, { redirect: 'manual' });
  for (const password of ['winter is coming', 'a second guess']) {
    await call('POST', '/auth/login', { username: 'ada', password }, {});
  }
  const day = 86_400;
  for (const token of [
    { description: 'Rollout in Berlin', multi_use: true, max_uses: 40, expires_in_seconds: 7 * day },
    { description: 'Image for the lab', multi_use: true, expires_in_seconds: 30 * day },
    { description: 'Edge host in Rome' },
  ]) {
    const { enrollment_token } = await call('POST', '/enrollment-tokens', token);
    const hosts = token.multi_use ? [`${token.description.slice(-3).toLowerCase()}-agent-01`] : ['rome.example.com'];
    for (const hostname of hosts) {
      const wanted = { enrollment_token, hostname, component_type: 'agent', version: '1.4.2' };
      // The last asks for a name that is in use, and waits.
      const answer = await fetch(`${base}/api/v1/components/register`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(wanted),
      });
      if (![201, 409].includes(answer.status)) throw new Error(await answer.text());
    }
  }
}

await signIn();
await fill();
await page.reload();
await page.locator('figure svg').first().waitFor();
await page
  .getByText(/waits? for approval|components? (is|are) offline|failed sign-in|asks? to come in/)
  .first()
  .waitFor();
await picture('overview');
await picture('overview-dark', DESK, 'dark');
await go('/settings/components', page.getByRole('link', { name: 'vienna-01' }));
await picture('components');
await picture('components-phone', PHONE, 'dark');
await page.getByRole('button', { name: 'New component' }).first().click();
await page.getByLabel('Name', { exact: true }).fill('zurich-01');
await page.getByRole('button', { name: 'Create and show the key' }).click();
await page.getByTestId('secret').waitFor();
await picture('key', { width: 1280, height: 900 });
await page.getByRole('button', { name: /^Close without/ }).click();
await rotateSome(4);
await go('/settings/components', page.getByText('4 of 8 use their new keys'));
await picture('fleet');
await go('/settings/enrollment', page.getByText('Rollout in Berlin'));
await picture('enrollment');
await go('/settings/identity-providers/attempts', page.getByRole('row').nth(1));
await picture('attempts');
await go('/audit', page.locator('figure svg').first());
await picture('audit');
await go('/hardening', page.getByText('Everything that can be seen from here is as it must be.'));
await picture('hardening', DESK, 'dark');
await page.evaluate(() => localStorage.clear());
await go('/login', page.getByRole('heading', { name: 'Sign in' }));
await page.getByText('Continue with').waitFor();
await picture('sign-in', { width: 1280, height: 720 });
await browser.close();
front?.close();

// Does in the console what people do, from the first start to the last wrong password. Parameters:
//   baseUrl                of the product, where nobody has signed in yet
//   oneTimePassword        that the first start printed, for `admin`
//   issuer, clientSecret   of a provider in mode `form` that knows grace, of the group `ops`, and the client `stratora`
//
// Returns `steps`, each with how long it took; `accessibility`, what axe found, by screen; and `guest`, what was seen in
// the browser of the person who signed in through the provider. Every check that fails ends the scenario.

import assert from 'node:assert/strict';

import AxeBuilder from '@axe-core/playwright';
import { request } from 'playwright-core';

import { Observer } from '../browser/observer.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const DESK = { width: 1280, height: 860, colorScheme: 'light' };
// Where something stands or folds differently with little room, or has colours of its own.
const PHONE_AT_NIGHT = { width: 390, height: 844, colorScheme: 'dark' };

const PASSWORD = 'four herons over the lake';
const NAME = '<b>berlin</b>';
// A machine that runs the rest of the suite beside this is slow.
const STEP = 30_000;

export default async function consoleWalk(context, parameters) {
  const { baseUrl } = parameters;
  context.setDefaultTimeout(STEP);
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: baseUrl });
  const walk = new Walk(parameters, await request.newContext({ ignoreHTTPSErrors: true }));
  const page = await context.newPage();
  await walk.step('first start and forced change', () => firstStart(page, walk));
  await walk.step('a key from its creation to its end', () => keys(page, walk));
  const guest = await context.browser().newContext({ ignoreHTTPSErrors: true });
  guest.setDefaultTimeout(STEP);
  const observer = await Observer.of(guest);
  // Screens are looked at beside each other, each person in a tab of their own.
  await walk.step('every screen, and a sign-in through a provider', () => Promise.all([
    ...TABS.map((screens) => everyScreen(context, walk, screens)),
    providerSignIn(page, guest, walk),
  ]));
  await walk.step('two tabs', () => twoTabs(context, page, walk));
  await walk.step('too many attempts', () => tooManyAttempts(page, walk));
  return { steps: walk.steps, accessibility: walk.accessibility, guest: await observer.report() };
}

class Walk {
  steps = {};

  accessibility = [];

  constructor(parameters, program) {
    this.parameters = parameters;
    this.base = parameters.baseUrl;
    this.program = program;
  }

  async step(name, run) {
    const start = performance.now();
    await run();
    this.steps[name] = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  }

  // Has axe look at what is on show now.
  async examine(page, name, ...variants) {
    for (const { colorScheme, ...size } of variants.length > 0 ? variants : [DESK]) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await settled(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} px wider than a window of ${size.width}`);
      const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
      this.accessibility.push(...violations.map(({ id, help, nodes }) => (
        { screen: name, width: size.width, id, help, nodes: nodes.map(({ html }) => html) }
      )));
    }
    await page.setViewportSize({ width: DESK.width, height: DESK.height });
  }

  // A request as a component makes it, with its key and without a browser's cookies.
  async heartbeat(id, key) {
    const answer = await this.program.post(`${this.base}/api/v1/agents/heartbeat/${id}`, {
      headers: { 'X-API-Key': key },
      data: { hostname: 'berlin.example.com', version: '1.4.2', os: 'Debian 13' },
    });
    return answer.ok() ? 'accepted' : (await answer.json()).error;
  }
}

// What was on its way is there; what moves has come to rest, and has been drawn.
async function settled(page) {
  await page.getByRole('progressbar', { name: 'Loading the page' }).waitFor({ state: 'detached' });
  await page.evaluate(async () => {
    const moving = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(({ finished }) => finished));
    await new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
  });
}

const button = (scope, name) => scope.getByRole('button', { name, exact: true });

async function signIn(page, who, password) {
  await page.getByLabel('Username').fill(who);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await button(page, 'Sign in').click();
}

async function firstStart(page, walk) {
  const { base, parameters: { oneTimePassword } } = walk;
  await page.goto(`${base}/settings/components?status=active`);
  await page.waitForURL(/\/login\?return=%2Fsettings%2Fcomponents%3Fstatus%3Dactive$/);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await walk.examine(page, 'sign in', DESK, PHONE_AT_NIGHT);
  await signIn(page, 'admin', oneTimePassword);
  await page.waitForURL(/\/change-password$/);
  await page.getByLabel('One-time password', { exact: true }).fill(oneTimePassword);
  await page.getByLabel('New password', { exact: true }).fill('too short');
  await page.getByText('15 characters or more: 6 to go').waitFor();
  assert.equal(await button(page, 'Change password').isDisabled(), true);
  await walk.examine(page, 'change password');
  await page.getByLabel('New password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('New password, again').fill(PASSWORD);
  await button(page, 'Change password').click();
  await page.waitForURL(/\/settings\/components\?status=active$/);
  await button(page, 'Take the filters off').click();
  await page.getByText('No components yet').waitFor();
}

// Takes the secret out of the dialog that shows it, and closes it.
async function takeSecret(page) {
  const shown = page.getByTestId('secret');
  const secret = (await shown.textContent()).trim();
  await page.getByRole('button', { name: /^Copy (key|token)$/ }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await button(page, 'Done').click();
  await shown.waitFor({ state: 'detached' });
  assert.equal((await page.content()).includes(secret), false, 'the secret is still in the page');
  return secret;
}

async function act(page, action) {
  await button(page, `Actions for ${NAME}`).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

async function keys(page, walk) {
  await page.getByRole('button', { name: 'New component' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill(NAME);
  await walk.examine(page, 'new component');
  await button(page, 'Create and show the key').click();
  await page.getByTestId('secret').waitFor();
  await walk.examine(page, 'key', DESK, PHONE_AT_NIGHT);
  const first = await takeSecret(page);
  assert.match(first, /^sk_stra_[A-Za-z0-9_-]{43}$/);
  // The name is text, whatever it looks like.
  const link = page.getByRole('link', { name: NAME, exact: true });
  const id = new URL(await link.getAttribute('href'), page.url()).searchParams.get('component');
  assert.equal(await walk.heartbeat(id, first), 'accepted');

  await act(page, 'Rotate key');
  await page.getByLabel('stops working at once').waitFor();
  await walk.examine(page, 'rotate key');
  await button(page, 'Rotate and show the key').click();
  const second = await takeSecret(page);
  assert.equal(await walk.heartbeat(id, first), 'key_rotated');
  assert.equal(await walk.heartbeat(id, second), 'accepted');

  // In the middle of it the page is loaded anew: the key is gone from it, and lives.
  await act(page, 'Rotate key');
  await button(page, 'Rotate and show the key').click();
  const third = (await page.getByTestId('secret').textContent()).trim();
  await page.reload();
  await link.waitFor();
  assert.equal((await page.content()).includes(third), false);
  assert.equal(await walk.heartbeat(id, third), 'accepted');

  await act(page, 'Revoke');
  const dialog = page.getByRole('dialog');
  assert.equal(await button(dialog, 'Revoke').isDisabled(), true);
  await dialog.getByLabel(`Type ${NAME} to confirm`).fill(NAME);
  await button(dialog, 'Revoke').click();
  await page.getByText('Revoked. Its key is dead from now on.').waitFor();
  assert.equal(await walk.heartbeat(id, third), 'key_revoked');

  await page.getByRole('link', { name: 'Audit log' }).click();
  const entry = page.getByRole('row', { name: /Component revoked/ });
  await entry.waitFor();
  assert.match(await entry.textContent(), /admin/);
}

// What leads to a screen, what is there once it is, and where axe looks at it.
const TABS = [
  [
    { link: 'Overview', there: (page) => page.locator('figure svg').first(), on: [DESK, PHONE_AT_NIGHT] },
    { link: 'Components', there: (page) => page.getByRole('link', { name: NAME }), on: [DESK, PHONE_AT_NIGHT] },
    { link: 'Enrollment', there: (page) => page.getByText('No enrollment tokens'), on: [DESK], then: enroll },
    { link: 'Users and roles', there: (page) => page.getByText('You', { exact: true }), on: [DESK] },
    { link: 'Hardening', there: (page) => page.getByText('Everything that can be seen from here is as it must be.'), on: [DESK] },
  ],
  [
    { link: 'Audit log', there: (page) => page.locator('figure svg').first(), on: [DESK, PHONE_AT_NIGHT] },
    { link: 'My sessions', there: (page) => page.getByText('This device'), on: [DESK] },
    { link: 'Diagnostics', there: (page) => page.getByText('This computer and the server agree'), on: [DESK] },
    { link: 'Identity providers', there: (page) => page.getByRole('tab', { name: 'Directory' }), on: [DESK] },
  ],
];

async function everyScreen(context, walk, screens) {
  const page = await context.newPage();
  await page.goto(walk.base);
  for (const { link, there, on, then } of screens) {
    await page.getByRole('link', { name: link, exact: true }).click();
    await there(page).waitFor();
    await walk.examine(page, link, ...on);
    await then?.(page, walk);
  }
  await page.close();
}

// A host comes in by itself, with what the console hands out for it.
async function enroll(page, walk) {
  await page.getByRole('button', { name: 'New token' }).first().click();
  await page.getByLabel('Description').fill('Rollout in Berlin');
  await walk.examine(page, 'new enrollment token');
  await button(page, 'Create and show the token').click();
  await page.getByTestId('secret').waitFor();
  await walk.examine(page, 'enrollment token', DESK, PHONE_AT_NIGHT);
  await page.getByRole('button', { name: 'Copy: Tell it where to report, readable by nobody else' }).click();
  const command = await page.evaluate(() => navigator.clipboard.readText());
  const config = JSON.parse(command.slice(command.indexOf('{'), command.lastIndexOf('}') + 1));
  assert.equal(config.server_url, walk.base);
  assert.equal(config.enrollment_token, await takeSecret(page));
  const answer = await walk.program.post(`${config.server_url}/api/v1/components/register`, {
    data: {
      enrollment_token: config.enrollment_token, hostname: 'hamburg', component_type: 'agent', version: '1.4.2',
    },
  });
  assert.equal(answer.status(), 201, await answer.text());
  const { component_id: id, api_key: key } = await answer.json();
  assert.equal(await walk.heartbeat(id, key), 'accepted');
  await page.getByRole('row', { name: /Rollout in Berlin.*Used up/ }).waitFor();
}

// An administrator sets the provider up; a person signs in through it, by its page.
async function providerSignIn(page, guest, walk) {
  const { base, parameters: { issuer, clientSecret } } = walk;
  await page.evaluate(async (provider) => {
    const answer = await fetch('/api/v1/identity-providers/oidc', {
      method: 'POST',
      headers: { authorization: `Bearer ${localStorage.getItem('stratora.token')}`, 'content-type': 'application/json' },
      body: JSON.stringify(provider),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }, {
    name: 'Example ID',
    issuer,
    client_id: 'stratora',
    client_secret: clientSecret,
    role_mappings: [{ group: 'ops', role: 'operator' }],
  });
  const person = await guest.newPage();
  await person.goto(`${base}/login?return=%2Fsessions`);
  await person.getByRole('link', { name: 'Continue with Example ID' }).click();
  await person.getByLabel('Username').fill('grace');
  await person.getByLabel('Password').fill('compilers');
  await person.getByRole('button', { name: 'Sign in' }).click();
  await person.getByText('This device').waitFor();
  // Back where the person wanted to be, without the token in the address.
  assert.equal(person.url(), `${base}/sessions`);
  await person.getByRole('button', { name: 'Account of Grace Hopper' }).waitFor();
  assert.equal(await person.getByRole('link', { name: 'Enrollment' }).count(), 1, 'an operator sees it');
  assert.equal(await person.getByRole('link', { name: 'Users and roles' }).count(), 0, 'but not this');
}

async function twoTabs(context, page, walk) {
  const other = await context.newPage();
  await other.goto(`${walk.base}/audit?range=24h`);
  await other.getByRole('heading', { name: 'Audit log' }).waitFor();
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/\/login$/);
  await page.getByText(/^You are signed out(\.$| here)/).waitFor();
  await other.waitForURL(/\/login\?return=%2Faudit%3Frange%3D24h$/);
  await other.close();
}

async function tooManyAttempts(page, walk) {
  const countdown = page.getByTestId('countdown');
  while (await countdown.count() === 0) {
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/v1/auth/login'));
    await signIn(page, 'nobody', 'a guess');
    const answer = await answered;
    if (answer.status() === 429) await countdown.waitFor();
    // The button takes another attempt only after that.
    else await page.getByRole('alert').waitFor();
  }
  assert.equal(await button(page, 'Sign in').isDisabled(), true);
  const before = await countdown.textContent();
  assert.match(before, /^[0-4]:[0-5]\d$|^5:00$/);
  await page.waitForFunction((shown) => (
    document.querySelector('[data-testid=countdown]').textContent !== shown
  ), before);
  await walk.examine(page, 'too many attempts', DESK, PHONE_AT_NIGHT);
}

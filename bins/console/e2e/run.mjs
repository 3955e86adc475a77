// Walks the console from the first start on, as a person would. Needs a server that was never signed in to.
//   BASE_URL         where the console is served; with --front: the server, and the console is served in front of it
//   ADMIN_PASSWORD   the one-time password that the server printed
//   OUT              where the pictures go; e2e/out when absent
// Exit status 0 only if every step went well and nothing was seen that should not be.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Browser } from './browser.mjs';
import { startFront } from './front.mjs';

const { BASE_URL, ADMIN_PASSWORD } = process.env;
if (!BASE_URL || !ADMIN_PASSWORD) {
  console.error('usage: BASE_URL=… ADMIN_PASSWORD=… npm run e2e [-- --front]');
  process.exit(2);
}
const front = process.argv.includes('--front') ? await startFront(BASE_URL) : null;
const base = new URL(front?.url ?? BASE_URL).origin;
const out = process.env.OUT ?? fileURLToPath(new URL('out/', import.meta.url));
const PASSWORD = 'four herons over the lake';
const NEXT_PASSWORD = 'five kites above the pier';
const VIEWER_PASSWORD = 'seven otters by the river';

const browser = await Browser.launch({ base, out });
browser.usual = ['404 GET /api/v1/remote-components/rotate-fleet'];
const context = await browser.context();
let page = await context.newPage();

async function step(name, expected, run) {
  browser.step = name;
  browser.expected = expected;
  console.log(`- ${name}`);
  try {
    await run();
  } catch (error) {
    await page.screenshot({ path: `${out}/failed.png` }).catch(() => {});
    browser.problem(error.message.split('\n').slice(0, 6).join(' / '));
    throw new Error('a step failed', { cause: error });
  }
}

const role = (kind, name, options = {}) => page.getByRole(kind, { name, ...options });
const go = (path) => page.goto(base + path);
const path = () => page.evaluate(() => location.pathname + location.search);
const storage = () => page.evaluate(() => ({ local: { ...localStorage }, session: { ...sessionStorage } }));
const at = (pattern) => page.waitForURL(pattern, { timeout: 10_000 });

/** A request as a program makes it, with a key. */
async function asProgram(path, key, body) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(key ? { 'X-API-Key': key } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json().catch(() => null) };
}

const heartbeat = (id, key, hostname = 'berlin-edge-01') =>
  asProgram(`/agents/heartbeat/${id}`, key, { hostname, version: '1.4.2', os: 'Debian 13' });

async function asComponent(id, key, hostname) {
  const { status, body } = await heartbeat(id, key, hostname);
  return { status, code: status < 400 ? null : body.error };
}

/** Looks at a screen while a component goes on reporting: one that is silent for half a minute counts as lost. */
async function inspectWhileReporting(name, id, key) {
  const beats = setInterval(() => void heartbeat(id, key).catch(() => {}), 5_000);
  await browser.inspect(page, name).finally(() => clearInterval(beats));
}

/** What an agent does that is asked to rotate its key: reports until it is, takes a new key and uses it. */
async function rotateAsAsked(id, key) {
  for (let beat = 0; beat < 50; beat++) {
    const { status, body } = await heartbeat(id, key);
    assert.equal(status, 200);
    if (body.rotate) {
      const rotated = await asProgram(`/agents/${id}/rotate`, key);
      assert.equal(rotated.status, 200);
      assert.equal((await heartbeat(id, rotated.body.api_key)).status, 200);
      return rotated.body.api_key;
    }
    await page.waitForTimeout(200);
  }
  throw new Error('the component is never asked to rotate its key');
}

/** Takes the secret out of the dialog that shows it, and closes it. */
async function takeSecret() {
  const shown = page.getByTestId('secret');
  await shown.waitFor();
  const secret = (await shown.textContent()).trim();
  await page.getByRole('button', { name: /^Copy (key|token|one-time password)$/ }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  await role('button', 'Done').click();
  await shown.waitFor({ state: 'detached' });
  return secret;
}

async function rowAction(row, action) {
  await role('button', `Actions for ${row}`).click();
  // Another menu may still be closing.
  const menu = page.getByRole('menu', { name: `Actions for ${row}` });
  await menu.getByRole('menuitem', { name: action, exact: true }).click();
}

async function signIn(who, password) {
  await page.getByLabel('Username').fill(who);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await role('button', 'Sign in', { exact: true }).click();
}

async function choosePassword(current, next) {
  await page.getByLabel('One-time password', { exact: true }).fill(current);
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('New password, again').fill(next);
  await role('button', 'Change password').click();
}

/** Whether a text is anywhere in the page's memory, after the garbage is collected. */
async function inMemory(text) {
  const session = await page.context().newCDPSession(page);
  let found = false;
  let tail = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => {
    found ||= (tail + chunk).includes(text);
    tail = chunk.slice(-text.length);
  });
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await session.detach();
  return found;
}

let id;
let key;

async function walk() {
  await step('the first visit leads to the sign-in page, with the way back', [], async () => {
    await go('/settings/components?status=active');
    await at(/\/login\?return=%2Fsettings%2Fcomponents%3Fstatus%3Dactive$/);
    await role('heading', 'Sign in').waitFor();
    await browser.inspect(page, 'login');
  });

  /** Opens a page whose console is not there until `arrive` is called. */
  async function early(visit, where) {
    let arrive;
    const arrived = new Promise((resolve) => {
      arrive = resolve;
    });
    await visit.route('**/assets/main-*.js', async (route) => {
      await arrived;
      await route.continue();
    });
    await visit.goto(base + where, { waitUntil: 'commit' });
    await visit.locator('input[name=username]:focus').waitFor();
    return arrive;
  }

  await step('the form that is there before the console looks as it does afterwards', [], async () => {
    for (const colorScheme of ['light', 'dark']) {
      const visit = await context.newPage();
      await visit.emulateMedia({ colorScheme });
      const arrive = await early(visit, '/login');
      const look = (name) =>
        visit.screenshot({ animations: 'disabled', path: `${out}/login-${name}-${colorScheme}.png` });
      const before = await look('early');
      arrive();
      await visit.waitForFunction(() => document.title.startsWith('Sign in'));
      await visit.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      assert.ok(before.equals(await look('taken-over')), `it changes when it is taken over (${colorScheme})`);
      await visit.close();
    }
  });

  await step(
    'what is typed and sent before the console is there is sent, once',
    ['401 POST /api/v1/auth/login'],
    async () => {
      const visit = await context.newPage();
      const sent = [];
      visit.on('request', (request) => {
        if (request.method() === 'POST') sent.push(request.postDataJSON());
      });
      const arrive = await early(visit, '/audit?range=24h');
      assert.equal(new URL(visit.url()).search, '?return=%2Faudit%3Frange%3D24h');
      await visit.keyboard.type('admin');
      await visit.keyboard.press('Tab');
      await visit.keyboard.type('too early');
      await visit.keyboard.press('Enter');
      await visit.keyboard.press('Enter');
      await visit.getByRole('progressbar', { name: 'Loading the page' }).waitFor();
      assert.deepEqual(sent, []);
      arrive();
      await visit.getByText('Wrong username or password.').waitFor();
      assert.deepEqual(sent, [{ username: 'admin', password: 'too early' }]);
      assert.equal(await visit.getByRole('progressbar').count(), 0);
      assert.equal(await visit.getByLabel('Username').inputValue(), 'admin');
      assert.equal(new URL(visit.url()).search, '?return=%2Faudit%3Frange%3D24h');
      await visit.close();
    },
  );

  await step('a wrong password is told in a sentence, with the request', ['401 POST /api/v1/auth/login'], async () => {
    await signIn('admin', 'not the password');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.textContent(), /Wrong username or password\.Request [0-9a-f-]{36}/);
    await browser.inspect(page, 'login-refused');
  });

  await step('a one-time password must be changed first, and the meter says what is missing', [], async () => {
    await signIn('admin', ADMIN_PASSWORD);
    await at(/\/change-password$/);
    await role('heading', 'Choose your password').waitFor();
    await page.getByLabel('New password', { exact: true }).fill('too short');
    await page.getByText('15 characters or more: 6 to go').waitFor();
    assert.equal(await role('button', 'Change password').isDisabled(), true);
    await browser.inspect(page, 'change-password');
    await choosePassword(ADMIN_PASSWORD, PASSWORD);
    await at(/\/settings\/components\?status=active$/);
    const kept = await storage();
    assert.deepEqual(Object.keys(kept.local), ['stratora.token']);
    assert.deepEqual(kept.session, {});
  });

  await step('an empty list says what to do', [], async () => {
    await page.getByText('No component matches').waitFor();
    await role('button', 'Take the filters off').click();
    await page.getByText('No components yet').waitFor();
    assert.equal(await path(), '/settings/components');
    await browser.inspect(page, 'components-empty');
  });

  await step('a component is created and its key shown once', [], async () => {
    await page.getByRole('button', { name: 'New component' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('berlin-edge-01');
    await page.getByLabel('Host name', { exact: true }).fill('berlin-edge-01.example.com');
    await browser.inspect(page, 'component-new');
    await role('button', 'Create and show the key').click();
    await page.getByTestId('secret').waitFor();
    await browser.inspect(page, 'component-key');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByTestId('secret').count(), 1, 'a stray key must not close it');
    const shown = (await page.getByTestId('secret').textContent()).trim();
    const [file] = await Promise.all([page.waitForEvent('download'), role('button', 'Download agent.json').click()]);
    assert.equal(file.suggestedFilename(), 'agent.json');
    const config = JSON.parse(await readFile(await file.path(), 'utf8'));
    id = config.component_id;
    assert.deepEqual(config, { server_url: base, component_id: id, api_key: shown, insecure_skip_verify: false });
    key = await takeSecret();
    assert.equal(key, shown);
    assert.match(key, /^sk_stra_[A-Za-z0-9_-]{43}$/);
  });

  await step('the key is gone once its dialog is closed', [], async () => {
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await role('link', 'berlin-edge-01').waitFor();
    assert.equal((await page.content()).includes(key), false);
    assert.equal(JSON.stringify(await storage()).includes(key), false);
    assert.equal(await page.evaluate(() => JSON.stringify(history.state)).then((state) => state.includes(key)), false);
    await page.waitForTimeout(1500);
    assert.equal(await inMemory(key), false, 'the key is still in memory');
  });

  await step('the key works, and the list shows by itself that the component was seen', [], async () => {
    assert.equal((await asComponent(id, key)).status, 200);
    await page.getByRole('row', { name: /berlin-edge-01.*(ago|now)/ }).waitFor({ timeout: 25_000 });
  });

  await step('after rotating, the old key is dead and the new one works', [], async () => {
    await rowAction('berlin-edge-01', 'Rotate key');
    await page.getByLabel('stops working at once').waitFor();
    await browser.inspect(page, 'component-rotate');
    await role('button', 'Rotate and show the key').click();
    const next = await takeSecret();
    assert.deepEqual(await asComponent(id, key), { status: 401, code: 'key_rotated' });
    assert.equal((await asComponent(id, next)).status, 200);
    key = next;
  });

  await step('with a grace, the old key lives until the new one is used', [], async () => {
    await rowAction('berlin-edge-01', 'Rotate key');
    await page.getByLabel('works until the new one is first used').check();
    await page.getByLabel('How long').fill('2');
    await role('button', 'Rotate and show the key').click();
    const next = await takeSecret();
    assert.equal((await asComponent(id, key)).status, 200);
    assert.equal((await asComponent(id, next)).status, 200);
    key = next;
  });

  await step('a reload in the middle shows no key and loses no component', [], async () => {
    await rowAction('berlin-edge-01', 'Rotate key');
    await role('button', 'Rotate and show the key').click();
    await page.getByTestId('secret').waitFor();
    const shown = (await page.getByTestId('secret').textContent()).trim();
    await page.reload();
    await role('link', 'berlin-edge-01').waitFor();
    assert.equal((await page.content()).includes(shown), false);
    key = shown;
  });

  await step('names that look like markup or turn around are text', [], async () => {
    for (const name of ['<img src=x onerror=alert(1)>', 'مراقب الشبكة', '=HYPERLINK("http://x")']) {
      await page.getByRole('button', { name: 'New component' }).first().click();
      await page.getByLabel('Name', { exact: true }).fill(name);
      await role('button', 'Create and show the key').click();
      await takeSecret();
      await page.locator('table bdi', { hasText: name }).first().waitFor();
    }
    assert.equal(await page.locator('main img').count(), 0);
  });

  await step('a name that is taken is told at its field', ['409 POST /api/v1/remote-components'], async () => {
    await page.getByRole('button', { name: 'New component' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('berlin-edge-01');
    await role('button', 'Create and show the key').click();
    await page.getByText('Another component has this name. Choose another.').waitFor();
    await role('button', 'Cancel').click();
  });

  await step('a collector is configured', [], async () => {
    await page.getByRole('button', { name: 'New component' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('hamburg');
    await page.getByLabel('Collector').check();
    await role('button', 'Create and show the key').click();
    const collectorKey = await takeSecret();
    browser.expected = ['404 GET /api/v1/remote-collectors/'];
    await role('link', 'hamburg').click();
    await role('button', 'Set configuration').waitFor();
    await browser.inspect(page, 'component-details');
    const collector = new URL(page.url()).searchParams.get('component');
    await role('button', 'Set configuration').click();
    await page.getByRole('textbox', { name: 'Configuration' }).fill('[agent]\ninterval = "10s"\n');
    await browser.inspect(page, 'component-configuration');
    await role('button', 'Set', { exact: true }).click();
    await page.getByText('The configuration is set.').waitFor();
    const pulled = await fetch(`${base}/api/v1/remote-collectors/${collector}/config`, {
      headers: { 'X-API-Key': collectorKey },
    });
    assert.equal(await pulled.text(), '[agent]\ninterval = "10s"\n');
    await page.goBack();
    await role('button', 'Set configuration').waitFor({ state: 'detached' });
  });

  await step('what is open and what is filtered is in the address, and the back button undoes it', [], async () => {
    await page.getByRole('searchbox').fill('berlin');
    await at(/q=berlin/);
    await role('link', 'hamburg').waitFor({ state: 'detached' });
    await role('link', 'berlin-edge-01').click();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await path(), '/settings/components?q=berlin');
    await page.getByRole('searchbox').fill('');
    await role('link', 'hamburg').waitFor();
    await role('button', 'Last seen').click();
    await at(/sort=seen/);
    await page.goBack();
    await role('columnheader', 'Last seen').waitFor();
    assert.doesNotMatch(await path(), /sort=/);
    await browser.inspect(page, 'components');
  });

  await step('everything can be done with the keyboard', [], async () => {
    await page.reload();
    await role('link', 'hamburg').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Skip to the content');
    await role('button', 'Actions for hamburg').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Rotate key' }).waitFor();
    await browser.inspect(page, 'component-menu', { only: ['1280-light', '1280-dark'] });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    assert.equal(
      await page.evaluate(() => document.querySelector('[role=dialog]').contains(document.activeElement)),
      true,
    );
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  await step('a component is asked to rotate its key, and does so by itself', [], async () => {
    await rowAction('berlin-edge-01', 'Ask for a rotation');
    await role('button', 'Ask', { exact: true }).waitFor();
    await browser.inspect(page, 'component-request-rotation');
    await role('button', 'Ask', { exact: true }).click();
    await page.getByText('Asked. It makes itself a new key the next time it reports.').waitFor();
    await role('link', 'berlin-edge-01').click();
    await page.getByText('Asked to rotate it').waitFor();
    const before = key;
    key = await rotateAsAsked(id, key);
    assert.deepEqual(await asComponent(id, before), { status: 401, code: 'key_rotated' });
    await page.getByText('Asked to rotate it').waitFor({ state: 'detached', timeout: 15_000 });
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  // The collector does not report.
  const chooseAgents = async () => {
    await role('button', 'Rotate all keys').click();
    await role('combobox', 'Which components').click();
    await role('option', 'Agents only').click();
  };
  const startRotation = async () => {
    await chooseAgents();
    await role('button', 'Rotate the keys').click();
    await role('status').filter({ hasText: 'Under way' }).waitFor();
  };

  await step('the fleet is rotated, and its progress shown until it is done', [], async () => {
    await heartbeat(id, key);
    await chooseAgents();
    await page.getByLabel('Components a wave').fill('0');
    await page.getByText('From 1 to 1,000.').waitFor();
    assert.equal(await role('button', 'Rotate the keys').isDisabled(), true);
    await page.getByLabel('Components a wave').fill('20');
    await browser.inspect(page, 'fleet-rotate');
    await role('button', 'Rotate the keys').click();
    await role('heading', 'New keys for all agents').waitFor();
    await page.getByText('1 asked and not done yet').waitFor();
    await inspectWhileReporting('fleet-under-way', id, key);
    const before = key;
    key = await rotateAsAsked(id, key);
    assert.deepEqual(await asComponent(id, before), { status: 401, code: 'key_rotated' });
    await role('status').filter({ hasText: 'Finished' }).waitFor({ timeout: 15_000 });
    await page.getByText('1 of 1 use their new keys').waitFor();
    await role('button', 'Put aside').click();
    await role('heading', 'New keys for all agents').waitFor({ state: 'detached' });
  });

  await step('a rotation is called off', [], async () => {
    await heartbeat(id, key);
    await startRotation();
    await role('button', 'Stop').click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await inspectWhileReporting('fleet-stop', id, key);
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await role('status').filter({ hasText: 'Called off' }).waitFor();
    if ((await heartbeat(id, key)).body.rotate) key = await rotateAsAsked(id, key);
  });

  await step('a rotation that loses components stops by itself and says why', [], async () => {
    await heartbeat(id, key);
    await startRotation();
    await page.getByText('1 asked and not done yet').waitFor();
    await rowAction('berlin-edge-01', 'Revoke');
    await page.getByLabel('Type berlin-edge-01 to confirm').fill('berlin-edge-01');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await role('status').filter({ hasText: 'Stopped by itself' }).waitFor({ timeout: 15_000 });
    await page.getByText('1 of the 1 components asked so far').waitFor();
    await browser.inspect(page, 'fleet-stopped');
    await rowAction('berlin-edge-01', 'Restore');
    await role('button', 'Restore with a new key').click();
    key = await takeSecret();
    await role('button', 'Put aside').click();
  });

  await step('to revoke, the name must be typed; then the key is dead', [], async () => {
    await rowAction('berlin-edge-01', 'Revoke');
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Revoke' });
    assert.equal(await confirm.isDisabled(), true);
    await page.getByLabel('Type berlin-edge-01 to confirm').fill('berlin-edge-0');
    assert.equal(await confirm.isDisabled(), true);
    await browser.inspect(page, 'component-revoke');
    await page.getByLabel('Type berlin-edge-01 to confirm').fill('berlin-edge-01');
    await confirm.click();
    await page.getByRole('row', { name: /berlin-edge-01.*Revoked/ }).waitFor();
    assert.deepEqual(await asComponent(id, key), { status: 401, code: 'key_revoked' });
  });

  await step('a revoked component is restored with a new key, and deleted by name', [], async () => {
    await rowAction('berlin-edge-01', 'Restore');
    await role('button', 'Restore with a new key').click();
    const next = await takeSecret();
    assert.equal((await asComponent(id, next)).status, 200);
    await rowAction('hamburg', 'Delete');
    await page.getByLabel('Type hamburg to confirm').fill('hamburg');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await role('link', 'hamburg').waitFor({ state: 'detached' });
  });

  await step('a host registers with an enrollment token, by what the console hands out', [], async () => {
    await role('link', 'Enrollment').click();
    await page.getByText('No enrollment tokens').waitFor();
    await browser.inspect(page, 'enrollment-empty');
    await page.getByRole('button', { name: 'New token' }).first().click();
    await page.getByLabel('Description').fill('<b>Rollout</b> in Berlin');
    await page.getByLabel('Many components').check();
    await page.getByLabel('At most').fill('2');
    await browser.inspect(page, 'enrollment-new');
    await role('button', 'Create and show the token').click();
    await page.getByTestId('secret').waitFor();
    await browser.inspect(page, 'enrollment-token');
    await role('button', 'Copy: Tell it where to report, readable by nobody else').click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    const config = JSON.parse(command.slice(command.indexOf('{'), command.lastIndexOf('}') + 1));
    const token = (await page.getByTestId('secret').textContent()).trim();
    assert.deepEqual(config, { server_url: base, enrollment_token: token, insecure_skip_verify: false });
    await role('button', 'Done').click();
    await page.getByTestId('secret').waitFor({ state: 'detached' });
    await page.evaluate(() => navigator.clipboard.writeText(''));
    const wanted = { enrollment_token: token, hostname: 'oslo', component_type: 'agent', version: '1.4.2' };
    const registered = await asProgram('/components/register', null, wanted);
    assert.equal(registered.status, 201);
    const { component_id: oslo, api_key: itsKey } = registered.body;
    assert.equal((await asComponent(oslo, itsKey, 'oslo')).status, 200);
    await page.getByRole('row', { name: /<b>Rollout<\/b> in Berlin.*1 of 2/ }).waitFor({ timeout: 15_000 });
    assert.equal(await page.locator('main table b').count(), 0);
    assert.equal((await page.content()).includes(token), false);
    assert.equal(await inMemory(token), false, 'the token is still in memory');

    // Under a name that is in use, a host waits for somebody to say yes.
    assert.equal((await asProgram('/components/register', null, wanted)).status, 409);
    await page.getByText('Asking to come in again').waitFor({ timeout: 30_000 });
    await browser.inspect(page, 'enrollment');
    await role('button', 'Approve oslo').click();
    await page.getByRole('dialog').waitFor();
    await browser.inspect(page, 'enrollment-approve');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.getByText('it has yet to ask again').waitFor();
    const again = await asProgram('/components/register', null, wanted);
    assert.equal(again.status, 200);
    assert.equal(again.body.component_id, oslo);
    assert.equal((await asComponent(oslo, itsKey, 'oslo')).status, 401);
    assert.equal((await asComponent(oslo, again.body.api_key, 'oslo')).status, 200);

    await rowAction('<b>Rollout</b> in Berlin', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No enrollment tokens').waitFor();
    assert.equal((await asProgram('/components/register', null, { ...wanted, hostname: 'bergen' })).status, 401);
    await role('link', 'Components').click();
    await role('link', 'oslo').waitFor();
  });

  await step('ten thousand components are as quick as ten', [], async () => {
    const total = 10_000;
    await page.route('**/api/v1/remote-components?*', async (route) => {
      const query = new URL(route.request().url()).searchParams;
      const from = Number(query.get('cursor') ?? 0);
      const limit = Number(query.get('limit'));
      const items = Array.from({ length: Math.min(limit, total - from) }, (_, index) => {
        const number = from + index;
        return {
          id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
          name: `node-${String(number).padStart(5, '0')}`,
          hostname: `node-${number}.example.com`,
          kind: number % 5 ? 'agent' : 'collector',
          status: number % 7 ? 'active' : 'offline',
          key_prefix: 'sk_stra_abcd',
          key_created_at: '2026-01-01T00:00:00Z',
          last_seen_at: new Date(1_767_225_600_000 + ((number * 7919) % total) * 1000).toISOString(),
          last_seen_ip: '192.0.2.1',
          version: '1.4.2',
          created_at: '2026-01-01T00:00:00Z',
          revoked_at: null,
        };
      });
      const next = from + items.length;
      await route.fulfill({ json: { items, next_cursor: next < total ? String(next) : null, total } });
    });
    await go('/settings/components');
    await role('link', 'node-00000').waitFor();
    await page.getByText('200 of 10,000 loaded').waitFor();
    await browser.inspect(page, 'components-many', { only: ['1280-light', '390-dark'] });
    const started = Date.now();
    for (let turn = 0; turn < 30; turn++) {
      await page.mouse.wheel(0, 3000);
      await page.waitForTimeout(30);
    }
    assert.ok((await page.locator('tbody tr').count()) < 120, 'only the rows on show are in the page');
    console.log(`  scrolled in ${Date.now() - started} ms`);
    await go('/settings/components?sort=seen.desc');
    const sorting = Date.now();
    await page.getByText('10,000 in all').waitFor({ timeout: 60_000 });
    console.log(`  loaded and sorted in ${Date.now() - sorting} ms`);
    const first = await page.locator('tbody tr time').first().getAttribute('datetime');
    assert.equal(first, new Date(1_767_225_600_000 + (total - 1) * 1000).toISOString());
    assert.ok((await page.locator('tbody tr').count()) < 120);
    await page.unroute('**/api/v1/remote-components?*');
  });

  let oneTime;
  await step('a user is created with a one-time password', [], async () => {
    await role('link', 'Users and roles').click();
    await role('heading', 'Users and roles').waitFor();
    await role('button', 'New user').click();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await browser.inspect(page, 'user-new');
    await role('button', 'Create and show the one-time password').click();
    await page.getByTestId('secret').waitFor();
    await browser.inspect(page, 'user-password');
    await takeSecret();
    await page.getByRole('row', { name: /ada.*One-time password/ }).waitFor();
    await rowAction('ada', 'Edit');
    await page.getByLabel('Mail address', { exact: true }).fill('ada@example.com');
    await role('button', 'Save').click();
    await page.getByText('ada@example.com').waitFor();
    await rowAction('ada', 'Deactivate');
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('row', { name: /ada.*Deactivated/ }).waitFor();
    await rowAction('ada', 'Activate');
    await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click();
    await page.getByRole('row', { name: /ada.*One-time password/ }).waitFor();
    await rowAction('ada', 'Reset password');
    await role('button', 'Make a one-time password').click();
    oneTime = await takeSecret();
    await browser.inspect(page, 'users');
  });

  const viewerContext = await browser.context();
  const admin = page;
  await step('a viewer sees what a viewer may see', [], async () => {
    page = await viewerContext.newPage();
    await go('/audit');
    await signIn('ada', oneTime);
    await at(/\/change-password$/);
    await choosePassword(oneTime, VIEWER_PASSWORD);
    await page.getByText('Only administrators see this page').waitFor();
    await browser.inspect(page, 'not-for-your-role', { only: ['1280-light'] });
    await role('link', 'Overview', { exact: true }).click();
    await role('heading', 'Needs attention').waitFor();
    assert.equal(await role('link', 'Audit log').count(), 0);
    await browser.inspect(page, 'overview-viewer', { only: ['1280-light', '390-dark'] });
    await role('link', 'Components', { exact: true }).click();
    await role('link', 'berlin-edge-01').waitFor();
    assert.equal(await page.getByRole('button', { name: 'New component' }).count(), 0);
  });

  await step('a session that is ended from outside asks to sign in and knows the way back', ['401'], async () => {
    page = admin;
    await rowAction('ada', 'Sessions');
    await page.getByRole('dialog').getByRole('table').waitFor();
    await browser.inspect(page, 'user-sessions');
    await role('button', 'End all of them').click();
    await page.getByText('This user is not signed in anywhere.').waitFor();
    await page.keyboard.press('Escape');
    page = viewerContext.pages()[0];
    await at(/\/login\?return=%2Fsettings%2Fcomponents$/);
    await page.getByText('Your session has ended. Sign in again to go on where you were.').waitFor();
    assert.deepEqual((await storage()).local, {});
    await browser.inspect(page, 'login-expired', { only: ['1280-light'] });
    page = admin;
    await viewerContext.close();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await rowAction('ada', 'Delete');
    await page.getByLabel('Type ada to confirm').fill('ada');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted. All sessions have ended.').waitFor();
  });

  await step(
    'a sign-in link works only with the session that it belongs to, and leaves no trace',
    ['401 GET /api/v1/auth/me'],
    async () => {
      const token = (await storage()).local['stratora.token'];
      const other = await browser.context();
      page = await other.newPage();
      await go(`/#oidc_session=${'A'.repeat(43)}`);
      await page.getByText('This sign-in was not started in this browser').waitFor();
      assert.equal(await path(), '/login');
      assert.deepEqual((await storage()).local, {});
      await go('/#oidc_session=');
      await page.getByText('This sign-in link is damaged.').waitFor();
      await go(`/#oidc_session=${token}`);
      await role('heading', 'Overview').waitFor();
      assert.equal(page.url(), `${base}/`);
      assert.deepEqual((await storage()).local, { 'stratora.token': token });
      await other.close();
      page = admin;
    },
  );

  await step('the overview', [], async () => {
    await role('link', 'Overview', { exact: true }).click();
    await page.locator('figure svg').first().waitFor();
    await browser.inspect(page, 'overview');
  });

  await step('one’s own sessions', [], async () => {
    await role('link', 'My sessions').click();
    await page.getByText('This device').waitFor();
    await browser.inspect(page, 'sessions');
  });

  await step('the audit log tells what was done', [], async () => {
    await role('link', 'Audit log').click();
    await page.getByRole('row').nth(1).waitFor();
    await page.locator('figure svg').first().waitFor();
    await browser.inspect(page, 'audit');
    await role('combobox', 'Action').click();
    await page.getByRole('option', { name: 'Component revoked' }).click();
    await at(/action=component\.revoke/);
    await page.getByText('2 in all').waitFor();
    await page.reload();
    await role('link', 'Component revoked').first().click();
    await at(/entry=\d+/);
    const drawer = page.getByRole('dialog');
    await drawer.getByText('component.revoke').waitFor();
    assert.match(await drawer.textContent(), /admin/);
    await browser.inspect(page, 'audit-entry');
    await page.goBack();
    await drawer.waitFor({ state: 'detached' });
    await go('/audit?q=HYPERLINK');
    await page.getByText('1 in all').waitFor();
    await role('button', 'Export').click();
    await browser.inspect(page, 'audit-export');
    const save = () =>
      Promise.all([
        page.waitForEvent('download'),
        page.getByRole('dialog').getByRole('button', { name: 'Export' }).click(),
      ]);
    const [csv] = await save();
    const text = await readFile(await csv.path(), 'utf8');
    assert.match(text, /,"'=HYPERLINK\(""http:\/\/x""\)",/);
    await role('button', 'Export').click();
    await page.getByLabel('JSON').check();
    const [json] = await save();
    assert.equal(JSON.parse(await readFile(await json.path(), 'utf8'))[0].resource.name, '=HYPERLINK("http://x")');
    await go('/audit?q=nothing-is-called-this');
    await page.getByText('No entry matches').waitFor();
    await browser.inspect(page, 'audit-empty', { only: ['1280-light'] });
  });

  await step(
    'identity providers',
    ['404 GET /api/v1/identity-providers', '404 POST /api/v1/identity-providers'],
    async () => {
      const there = await page.evaluate(async () => {
        const answer = await fetch('/api/v1/identity-providers/oidc', {
          headers: { Authorization: `Bearer ${localStorage.getItem('stratora.token')}` },
        });
        return answer.status;
      });
      if (there !== 200) {
        console.log(`  left out: the server answers ${there} there`);
        return;
      }
      await role('link', 'Identity providers').click();
      await page.getByText('No identity provider yet').waitFor();
      await browser.inspect(page, 'providers-empty');
      await page.getByRole('link', { name: 'New provider' }).first().click();
      await page.getByLabel('Name', { exact: true }).fill('Example ID');
      await page.getByLabel('Issuer').fill('https://id.example.com');
      await page.getByLabel('Client id').fill('stratora');
      await page.getByLabel('Client secret', { exact: true }).fill('a secret of the client');
      await role('button', 'Add a group').click();
      await page.getByLabel('Group 1', { exact: true }).fill('network-operators');
      await browser.inspect(page, 'provider-new');
      await role('button', 'Create', { exact: true }).click();
      await page.getByText('Redirect address').waitFor();
      await browser.inspect(page, 'provider-there');
      await role('tab', 'Settings').click();
      await page.getByText('One is stored, encrypted.').waitFor();
      await browser.inspect(page, 'provider');
      await role('tab', 'Dry run').click();
      await role('button', 'Decide').click();
      await page.getByText('Gets a new account and signs in to it.').waitFor();
      await browser.inspect(page, 'provider-dry-run');
      await role('tab', 'Test').click();
      await role('button', 'Test now').click();
      await page.getByText('Not yet: see the step that failed.').waitFor({ timeout: 30_000 });
      await browser.inspect(page, 'provider-test');
      await role('button', 'Delete').click();
      await page.getByLabel('Type Example ID to confirm').fill('Example ID');
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByText('No identity provider yet').waitFor();
      await role('tab', 'Directory').click();
      await role('button', 'Test now').waitFor();
      await browser.inspect(page, 'providers-directory');
      await role('tab', 'Sign-in attempts').click();
      await page.getByText('No attempts yet').waitFor();
      await browser.inspect(page, 'providers-attempts');
    },
  );

  await step('diagnostics', ['503 GET /api/v1/metrics/query'], async () => {
    await role('link', 'Diagnostics').click();
    await page.getByText('This computer and the server agree').waitFor();
    await browser.inspect(page, 'diagnostics');
  });

  await step('hardening: everything that can be seen is as it must be', [], async () => {
    await role('link', 'Hardening').click();
    await page.getByText('Everything that can be seen from here is as it must be.').waitFor();
    await page.getByText('Scripts cannot read it').waitFor();
    await browser.inspect(page, 'hardening');
  });

  await step('pages that are not there', [], async () => {
    assert.equal((await context.request.get(`${base}/no/such/page`)).status(), front ? 200 : 404);
    await page.evaluate(() => {
      history.pushState({}, '', '/no/such/page');
      dispatchEvent(new PopStateEvent('popstate'));
    });
    await page.getByText('There is no page at this address').waitFor();
    await browser.inspect(page, 'not-found', { only: ['1280-light'] });
  });

  await step('the colours follow the system, or what was chosen', [], async () => {
    await go('/');
    const scheme = () => page.evaluate(() => document.documentElement.dataset.mantineColorScheme);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'dark');
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.waitForFunction(() => document.documentElement.dataset.mantineColorScheme === 'light');
    await page.reload();
    await role('heading', 'Overview').waitFor();
    assert.equal(await scheme(), 'light');
    assert.deepEqual(Object.keys((await storage()).local), ['stratora.token']);
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.getByRole('button', { name: /^Colours/ }).click();
    await page.emulateMedia({ colorScheme: 'light' });
  });

  await step('a password that is changed in one tab leaves the other where it is', [], async () => {
    const second = await context.newPage();
    await second.goto(`${base}/audit?range=24h`);
    await second.getByRole('heading', { name: 'Audit log' }).waitFor();
    const loaded = await second.evaluate(() => performance.timeOrigin);
    const before = (await storage()).local['stratora.token'];
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Change password' }).click();
    await page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('New password', { exact: true }).fill(NEXT_PASSWORD);
    await page.getByLabel('New password, again').fill(NEXT_PASSWORD);
    await browser.inspect(page, 'change-password-freely', { only: ['1280-light', '390-dark'] });
    const asked = second.waitForResponse((response) => response.url().endsWith('/api/v1/auth/me'));
    await role('button', 'Change password').click();
    await at(/\/$/);
    assert.equal((await asked).status(), 200);
    assert.notEqual((await storage()).local['stratora.token'], before);
    await second.getByRole('row').nth(1).waitFor();
    assert.equal(new URL(second.url()).search, '?range=24h');
    assert.equal(await second.evaluate(() => performance.timeOrigin), loaded, 'the other tab is not loaded anew');
    await second.close();
  });

  await step('signing out ends the other tabs too, and they know the way back', [], async () => {
    const second = await context.newPage();
    await second.goto(`${base}/audit?range=24h`);
    await second.getByRole('heading', { name: 'Audit log' }).waitFor();
    await page.getByRole('button', { name: /^Account of/ }).click();
    await browser.inspect(page, 'account-menu', { only: ['1280-light', '390-dark'] });
    await page.evaluate(() => {
      window.told = [];
      new MutationObserver(() => {
        const now = [...document.querySelectorAll('[role=alert]')].map((alert) => alert.textContent).join();
        if (now !== (window.told.at(-1) ?? '')) window.told.push(now);
      }).observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    const ended = page.waitForResponse((response) => response.url().endsWith('/api/v1/auth/logout'));
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await at(/\/login$/);
    await page.getByText('You are signed out.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'username');
    await ended;
    await page.waitForTimeout(500);
    assert.deepEqual(await page.evaluate(() => window.told), ['You are signed out.'], 'it is told once, and stays');
    await browser.inspect(page, 'login-signed-out');
    await second.waitForURL(/\/login\?return=%2Faudit%3Frange%3D24h$/, { timeout: 10_000 });
    assert.deepEqual(await storage(), { local: {}, session: {} });
    await page.goBack();
    await at(/\/login/);
    page = second;
    await signIn('admin', NEXT_PASSWORD);
    await at(/\/audit\?range=24h$/);
    await admin.waitForURL((url) => url.pathname !== '/login', { timeout: 10_000 });
    await second.close();
    page = admin;
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await at(/\/login$/);
  });

  await step('why a sign-in through a provider failed is said in plain words', [], async () => {
    await go('/login#error=not_provisioned&ref=7f3a-91c2');
    await page.getByText('You have no account here yet').waitFor();
    await page.getByText('7f3a-91c2').waitFor();
    await browser.inspect(page, 'login-provider-error');
    await go('/login?return=//evil.example#error=<script>&ref=<b>');
    await page.getByText('Signing in did not work. Try again.').waitFor();
  });

  await step(
    'too many attempts: a countdown until the next one',
    ['401 POST /api/v1/auth/login', '429 POST /api/v1/auth/login'],
    async () => {
      await go('/login');
      for (let attempt = 0; attempt < 6 && (await page.getByTestId('countdown').count()) === 0; attempt++) {
        await signIn('nobody', `guess number ${attempt}`);
        await page.getByRole('alert').or(page.getByTestId('countdown')).first().waitFor();
        await page.waitForTimeout(300);
      }
      const seconds = async () => {
        const [minutes, rest] = (await page.getByTestId('countdown').textContent()).split(':');
        return Number(minutes) * 60 + Number(rest);
      };
      const before = await seconds();
      assert.ok(before > 0 && before <= 300);
      assert.equal(await role('button', 'Sign in', { exact: true }).isDisabled(), true);
      await browser.inspect(page, 'login-throttled');
      await page.waitForTimeout(1100);
      assert.ok((await seconds()) < before);
    },
  );
}

try {
  await walk();
} catch (error) {
  if (!error.cause) browser.problem(error.stack);
} finally {
  await browser.close();
  front?.close();
}
if (browser.problems.length > 0) {
  console.error(`\n${browser.problems.length} problems:`);
  for (const problem of browser.problems) console.error(`  ${problem}`);
  process.exit(1);
}
console.log(`\nAll is well: ${browser.screens.size} screens, pictures in ${out}`);

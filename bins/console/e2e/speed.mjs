// How soon the sign-in page can be used over a slow network: by somebody who was never here, and by somebody who was.
//   BASE_URL   where the console is served
// Prints one line of JSON: `first` and `again`, each with every round's `usable`, the milliseconds from the request to the
// moment that the form is on show and takes what is typed; `running`, to the moment that what was typed and sent right
// then goes to the server; and the bytes that came over the network. A round in which it goes there otherwise than once
// and as it was typed is an error. What should go to the server is answered in the page, so that no attempt is counted.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const { BASE_URL } = process.env;
if (!BASE_URL) {
  console.error('usage: BASE_URL=… npm run speed');
  process.exit(2);
}

/** "Fast 3G", which Lighthouse now calls "Slow 4G": 150 ms, 1.6 Mbit/s down and 750 kbit/s up (Lighthouse, docs/throttling.md). */
const FAST_3G = {
  offline: false,
  latency: 150,
  downloadThroughput: (1.6 * 1024 * 1024) / 8,
  uploadThroughput: (750 * 1024) / 8,
  connectionType: 'cellular3g',
};
const ROUNDS = 3;
const TYPED = { username: 'somebody', password: 'what they typed at once' };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});

/** Runs in the page, by its own clock, which starts with the navigation: nothing of the driver is measured. */
function hasty(typed) {
  window.sent = [];
  const fetched = window.fetch;
  window.fetch = async (input, options) => {
    const request = new Request(input, options);
    if (new URL(request.url).pathname !== '/api/v1/auth/login') return fetched(input, options);
    window.sent.push({ at: performance.now(), body: await request.json() });
    const refused = { error: 'invalid_credentials', message: 'Wrong username or password.', request_id: 'none' };
    return Response.json(refused, { status: 401 });
  };
  window.usable = new Promise((resolve) => {
    const look = () => {
      const [painted] = performance.getEntriesByName('first-contentful-paint');
      const fields = Object.keys(typed).map((name) => document.querySelector(`input[name=${name}]`));
      if (!painted || !fields.every((field) => field?.checkVisibility())) return void requestAnimationFrame(look);
      for (const field of fields) {
        field.focus();
        document.execCommand('insertText', false, typed[field.name]);
      }
      resolve(performance.now());
      fields[0].form.requestSubmit();
    };
    look();
  });
}

/** Opens the page, types and sends as soon as it can be done, and waits until that is carried out. */
async function open(context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', FAST_3G);
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await page.addInitScript(hasty, TYPED);
  await page.goto(`${BASE_URL}/login`, { waitUntil: 'commit' });
  const usable = await page.evaluate(() => window.usable);
  await page.getByText('Wrong username or password.').waitFor();
  await page.waitForLoadState('networkidle');
  const sent = await page.evaluate(() => window.sent);
  assert.deepEqual(
    sent.map(({ body }) => body),
    [TYPED],
    'what was typed goes to the server once, as it was typed',
  );
  assert.equal(new URL(page.url()).search, '', 'nothing of it is in the address');
  await page.close();
  return { usable: Math.round(usable), running: Math.round(sent[0].at), bytes };
}

const seen = { first: [], again: [] };
for (let round = 0; round < ROUNDS; round++) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  seen.first.push(await open(context));
  seen.again.push(await open(context));
  await context.close();
}
await browser.close();
console.log(JSON.stringify(seen));

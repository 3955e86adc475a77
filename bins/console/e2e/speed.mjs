// How soon the sign-in page can be used over a slow network: by somebody who was never here, and by somebody who was.
//   BASE_URL   where the console is served
// Prints one line of JSON: `first` and `again`, each with the milliseconds of every round, from the request to the moment
// that what is typed into the form arrives there, and the bytes that came over the network.
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

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
});

/** Opens the page and waits until its form takes what is typed. */
async function open(context) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', FAST_3G);
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  // In the page and by its own clock, which starts with the navigation: nothing of the driver is measured.
  await page.addInitScript(() => {
    window.usable = new Promise((resolve) => {
      const look = () => {
        const field = document.querySelector('input[name=username]');
        const button = document.querySelector('button[type=submit]');
        const listens = field && Object.keys(field).some((key) => key.startsWith('__reactProps'));
        if (listens && button && !button.disabled && field.getClientRects().length > 0) resolve(performance.now());
        else requestAnimationFrame(look);
      };
      look();
    });
  });
  await page.goto(`${BASE_URL}/login`, { waitUntil: 'commit' });
  const milliseconds = await page.evaluate(() => window.usable);
  await page.waitForLoadState('networkidle');
  await page.close();
  return { milliseconds: Math.round(milliseconds), bytes };
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

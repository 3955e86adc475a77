// Runs one scenario in a browser of its own: node browser.mjs <scenario> '<parameters>' <milliseconds>
//
// A scenario is a module in scenarios/ whose default export takes a context of the browser, the parameters and the
// observer, and returns what it found. Printed is one line of JSON: that as `result`, beside what was observed on the
// way: every document that was opened, with its fragment (`arrivals`), every request with its Referer, violations of
// the content security policy, errors, and what is left in cookies and storage.

import { chromium } from 'playwright-core';

import { Observer } from './browser/observer.mjs';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

// For one step. For all of them it is told, and the browser is ended with this process afterwards.
const STEP = 15_000;

const [name, parameters = '{}', limit = '60000'] = process.argv.slice(2);
const SCENARIO = Number(limit);
const { default: scenario } = await import(`./scenarios/${name}.mjs`);
const timer = setTimeout(() => {
  console.error(`${name}: not within ${SCENARIO} ms`);
  process.exit(1);
}, SCENARIO);

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS, timeout: SCENARIO });
const context = await browser.newContext({ ignoreHTTPSErrors: true });
context.setDefaultTimeout(STEP);
const observer = await Observer.of(context);
try {
  const result = await scenario(context, JSON.parse(parameters), observer);
  console.log(JSON.stringify({ result, ...await observer.report() }));
} catch (error) {
  // What was seen is the shortest way to why.
  console.error(error);
  console.error(JSON.stringify(await observer.report(), null, 1));
  process.exitCode = 1;
} finally {
  await browser.close();
  clearTimeout(timer);
}

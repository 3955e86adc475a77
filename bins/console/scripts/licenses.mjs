// Everything that ends up in the console must be under one of these licences; so must everything else that is installed,
// but for the tools named below, which are used at build or test time and are no part of it.
import { readFile } from 'node:fs/promises';

const ALLOWED = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD']);
const TOOLS = new Map([
  ['axe-core', 'MPL-2.0'],
  ['@axe-core/playwright', 'MPL-2.0'],
  ['argparse', 'Python-2.0'],
]);
/** The minifier of styles, one package for each platform. */
const isLightningcss = (name, license) => license === 'MPL-2.0' && /^lightningcss(-|$)/.test(name);

/** Of `A OR B` one will do, of `A AND B` all must. */
const allowed = (license) =>
  license
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => ALLOWED.has(one.trim())));

const lock = JSON.parse(await readFile(new URL('../package-lock.json', import.meta.url), 'utf8'));
const wrong = [];
for (const [path, { license = 'none', dev = false, hasInstallScript = false }] of Object.entries(lock.packages)) {
  if (path === '') continue;
  const name = path.replace(/^.*node_modules\//, '');
  if (hasInstallScript) wrong.push(`${name} wants to run a script when it is installed`);
  if (allowed(license)) continue;
  if (dev && (TOOLS.get(name) === license || isLightningcss(name, license))) continue;
  wrong.push(`${name}: ${license}`);
}
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}

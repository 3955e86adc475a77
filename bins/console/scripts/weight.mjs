// What a browser loads before the first screen is there: the scripts and styles that `index.html` names, with everything
// they import, and the chunks of that screen. Fails above the limit; with --json only tells, in bytes.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 200;
const dist = new URL('../dist/', import.meta.url);
const sizes = new Map();

async function size(path) {
  if (!sizes.has(path)) sizes.set(path, gzipSync(await readFile(new URL(path, dist)), { level: 9 }).length);
  return sizes.get(path);
}

const html = await readFile(new URL('index.html', dist), 'utf8');
const first = new Set([...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1]));

/** The files that the chunk of a screen needs, from the list that the build leaves in the script that loads it. */
async function screen(name) {
  for (const path of first) {
    if (!path.endsWith('.js')) continue;
    const text = await readFile(new URL(path, dist), 'utf8');
    const list = /m\.f=(\[[^\]]*\])/.exec(text);
    const call = new RegExp(
      `import\\(["\`][^"\`]*/(${name}-[^"\`]+\\.js)["\`]\\)[^_]*?__vite__mapDeps\\(\\[([\\d,]*)\\]\\)`,
    ).exec(text);
    if (!list || !call) continue;
    const files = JSON.parse(list[1]);
    return [
      `assets/${call[1]}`,
      ...call[2]
        .split(',')
        .filter(Boolean)
        .map((index) => files[Number(index)]),
    ];
  }
  throw new Error(`no chunk is called ${name}`);
}

const json = process.argv.includes('--json');
const told = {};
const kb = (bytes) => (bytes / 1000).toFixed(1);
let failed = false;
for (const [label, names] of [
  ['sign-in', ['Login']],
  ['overview, signed in', ['Shell', 'Overview']],
]) {
  const files = new Set(first);
  for (const name of names) for (const file of await screen(name)) files.add(file);
  if (process.argv.includes('--files')) for (const file of files) console.log(kb(await size(file)).padStart(8), file);
  let scripts = 0;
  let styles = 0;
  for (const file of files) {
    if (file.endsWith('.js')) scripts += await size(file);
    else if (file.endsWith('.css')) styles += await size(file);
  }
  told[label] = { scripts, styles, files: files.size };
  if (json) continue;
  console.log(`${label}: ${kb(scripts)} kB of script, ${kb(styles)} kB of style, ${files.size} files (gzip)`);
  failed ||= scripts > LIMIT_KB * 1000;
}
if (json) console.log(JSON.stringify(told));
if (failed) {
  console.error(`more than ${LIMIT_KB} kB of script before the first screen`);
  process.exit(1);
}

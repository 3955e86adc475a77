// Compresses the build once, as far as it goes, so that no server has to do it at each request.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const worthwhile = /\.(html|js|css|svg|txt)$/;
const smallest = 1024;

for (const name of readdirSync(dist, { recursive: true })) {
  const file = join(dist, name);
  if (!worthwhile.test(name) || statSync(file).size < smallest) continue;
  const content = readFileSync(file);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: quality }));
  writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}

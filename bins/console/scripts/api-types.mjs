// Makes src/api/schema.d.ts from the OpenAPI document in a file.
//   npm run api:types -- FILE           writes it
//   npm run api:types -- --check FILE   fails when what is checked in is another
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const target = fileURLToPath(new URL('../src/api/schema.d.ts', import.meta.url));
const words = process.argv.slice(2);
const check = words.includes('--check');
const [file, ...more] = words.filter((word) => word !== '--check');
if (!file || more.length > 0) {
  console.error('usage: npm run api:types -- [--check] FILE');
  process.exit(2);
}

const document = JSON.parse(await readFile(file, 'utf8'));
// Types are found by path and method: the operations' own names would only double them.
for (const item of Object.values(document.paths)) {
  for (const operation of Object.values(item)) delete operation.operationId;
}
const types = astToString(await openapiTS(document, { alphabetize: true }));
const text = `// Made from the server's OpenAPI document by \`npm run api:types\`. Not edited by hand.\n\n${types}`;
if (check) {
  const present = await readFile(target, 'utf8').catch(() => '');
  if (present !== text) {
    console.error(`src/api/schema.d.ts is not what ${file} says: run npm run api:types -- ${file}`);
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}

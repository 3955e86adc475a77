import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const files = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(new URL(`src/${name}`, root), 'utf8') }));

describe('the sources', () => {
  it('import the styles of every component that they use', () => {
    const there = new Set(readdirSync(new URL('node_modules/@mantine/core/styles/', root)));
    const styles = readFileSync(new URL('src/app/styles.ts', root), 'utf8');
    const used = new Set<string>();
    for (const { text } of files) {
      for (const [, names] of text.matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
        for (const name of (names ?? '').split(',')) used.add(name.replace('type ', '').trim());
      }
    }
    const missing = [...used].filter((name) => there.has(`${name}.css`) && !styles.includes(`styles/${name}.css`));
    expect(missing).toEqual([]);
  });

  it('never write markup past React, nor run text', () => {
    const forbidden =
      /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(/;
    expect(files.filter(({ text }) => forbidden.test(text)).map(({ name }) => name)).toEqual([]);
  });

  it('touch the storage of the browser in one place', () => {
    const touching = files.filter(({ text }) => /\b(local|session)Storage\.(get|set|remove)Item/.test(text));
    expect(touching.map(({ name }) => name)).toEqual(['session/token.ts']);
  });
});

// Puts the sign-in page into `index.html`, drawn at build time by the components that draw it in the browser, with the
// styles that it needs: whoever comes to sign in can type before the rest of the console is here.
import { type AtRule, type Declaration, parse, type Root } from 'postcss';
import { runnerImport } from 'vite';

/** The page as HTML. */
export async function signInPage(root: string): Promise<string> {
  const { module } = await runnerImport<typeof import('../src/app/prerender')>('/src/app/prerender.tsx', {
    root,
    configFile: false,
    logLevel: 'error',
    define: { __CONSOLE_VERSION__: '""' },
  });
  return module.signInPage;
}

/** The rules of `css` that can apply to `html`, or to what `also` names: those whose classes are all there. */
export function stylesFor(css: string, html: string, also: readonly string[] = []): string {
  const classes = new Set(also);
  for (const [, names = ''] of html.matchAll(/\bclass="([^"]*)"/g)) {
    for (const name of names.split(/\s+/)) classes.add(name);
  }
  const sheet = parse(css);
  sheet.walkRules((rule) => {
    if (rule.parent?.type === 'atrule' && (rule.parent as AtRule).name === 'keyframes') return;
    rule.selectors = rule.selectors.filter((selector) => namedBy(selector).every((name) => classes.has(name)));
    if (rule.selector === '') rule.remove();
  });
  sheet.walkAtRules((rule) => {
    if (rule.nodes?.length === 0) rule.remove();
  });
  withoutUnused(sheet, html);
  return sheet.toString();
}

/** Variables that nothing reads, those that only such a one reads, and so on, are most of the library's styles. */
function withoutUnused(sheet: Root, html: string): void {
  const readIn = (text: string) => [...text.matchAll(/var\((--[\w-]+)/g)].map((match) => match[1] ?? '');
  const definitions = new Map<string, Declaration[]>();
  const wanted = new Set<string>();
  const want = (names: string[]) => {
    for (const name of names) {
      if (wanted.has(name)) continue;
      wanted.add(name);
      for (const { value } of definitions.get(name) ?? []) want(readIn(value));
    }
  };
  sheet.walkDecls((declaration) => {
    const { prop } = declaration;
    if (prop.startsWith('--')) definitions.set(prop, [...(definitions.get(prop) ?? []), declaration]);
  });
  want(readIn(html));
  sheet.walkDecls(({ prop, value }) => {
    if (!prop.startsWith('--')) want(readIn(value));
  });
  for (const [name, declarations] of definitions) {
    if (!wanted.has(name)) for (const declaration of declarations) declaration.remove();
  }
}

/** The classes that an element or those around it must have. One of several is not looked into, nor is one that is excluded. */
function namedBy(selector: string): string[] {
  const plain = selector.replace(/:(?:is|where|not|has)\((?:[^()]|\([^()]*\))*\)/g, '');
  return [...plain.matchAll(/\.(-?[_a-zA-Z][\w-]*)/g)].map((match) => match[1] ?? '');
}

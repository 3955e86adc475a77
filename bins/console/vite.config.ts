import react from '@vitejs/plugin-react';
import type { Plugin, Rolldown } from 'vite';
import { defineConfig } from 'vitest/config';
import project from './package.json' with { type: 'json' };
import { signInPage, stylesFor } from './scripts/signInPage.ts';

/**
 * What `index.html` brings besides the first module: the sign-in page, and word of the rest. The first module must run
 * before any other, so it imports the rest only afterwards; that would cost a round trip if the browser did not know of
 * it from here.
 */
function firstPage(): Plugin {
  let root = '';
  return {
    name: 'first-page',
    configResolved(config) {
      root = config.root;
    },
    transformIndexHtml: {
      order: 'post',
      async handler(html, { bundle }) {
        if (!bundle) return html;
        const { scripts, styles } = loadedFirst(bundle);
        const page = await signInPage(root);
        const css = styles.map((name) => textOf(bundle[name])).join('');
        const link = (rel: string, attrs: Record<string, string>) => ({
          tag: 'link',
          attrs: { rel, crossorigin: true, ...attrs },
          injectTo: 'head' as const,
        });
        return {
          html: html.replace(
            '<div id="root"></div>',
            (place) => `<template id="sign-in">${page}</template>\n    ${place}`,
          ),
          tags: [
            { tag: 'style', children: stylesFor(css, page, SHOWN_EARLY), injectTo: 'head' },
            ...styles.map((name) => link('preload', { as: 'style', href: `/${name}` })),
            ...scripts.map((name) => link('modulepreload', { href: `/${name}` })),
          ],
        };
      },
    },
  };
}

/** Those components of the library that the sign-in page uses, which most others use too. */
const ON_EVERY_SCREEN = [
  'ActionIcon',
  'Alert',
  'Anchor',
  'Button',
  'CloseButton',
  'Code',
  'Divider',
  'Group',
  'Input',
  'InputBase',
  'Loader',
  'Paper',
  'PasswordInput',
  'Stack',
  'Text',
  'TextInput',
  'Title',
  'Transition',
  'UnstyledButton',
];

/** What `src/session/early.ts` may show besides. */
const SHOWN_EARLY = ['on-its-way'];

/** The chunk of `src/main.tsx` with all that it imports. */
function loadedFirst(bundle: Rolldown.OutputBundle) {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
  const main = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/main.tsx'));
  if (!main) throw new Error('the chunk of src/main.tsx is not in the bundle');
  const found = new Set<Rolldown.OutputChunk>();
  const visit = (chunk: Rolldown.OutputChunk) => {
    if (found.has(chunk)) return;
    found.add(chunk);
    for (const name of chunk.imports) {
      const imported = chunks.find(({ fileName }) => fileName === name);
      // The first module is here already.
      if (imported && !imported.isEntry) visit(imported);
    }
  };
  visit(main);
  return {
    scripts: [...found].map((chunk) => chunk.fileName),
    styles: [...new Set([...found].flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]))],
  };
}

function textOf(file: Rolldown.OutputAsset | Rolldown.OutputChunk | undefined): string {
  if (file?.type !== 'asset') throw new Error('a style is no file of the bundle');
  return typeof file.source === 'string' ? file.source : Buffer.from(file.source).toString();
}

export default defineConfig({
  plugins: [react(), firstPage()],
  define: { __CONSOLE_VERSION__: JSON.stringify(project.version) },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    license: { fileName: 'third-party-licenses.txt' },
    chunkSizeWarningLimit: 500,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What changes with none of our own changes: browsers keep it over updates of the console.
            {
              name: 'framework',
              test: /node_modules\/(react|react-dom|scheduler|react-router|@tanstack\/(query-core|react-query))\//,
            },
            // What nearly every screen is made of; in many small files, each would cost a request.
            {
              name: 'library',
              test: new RegExp(
                `node_modules/(clsx|@mantine/core/esm/(core|components/(${ON_EVERY_SCREEN.join('|')}))|@mantine/hooks/esm/(use-id|use-uncontrolled|utils))/`,
              ),
            },
          ],
        },
      },
    },
  },
  test: { include: ['test/**/*.test.ts'] },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': process.env.STRATORA_SERVER ?? 'http://127.0.0.1:8080',
      '/health': process.env.STRATORA_SERVER ?? 'http://127.0.0.1:8080',
    },
  },
});

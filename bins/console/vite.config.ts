import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import project from './package.json' with { type: 'json' };

/**
 * The first module must run before any other, so it imports the rest only afterwards. That would cost a round trip:
 * this tells the browser about the rest in `index.html`, to be fetched early and run when its time has come.
 */
function preloadMain(): Plugin {
  return {
    name: 'preload-main',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle }) {
        if (!bundle) return [];
        const chunks = new Map(
          Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])),
        );
        const main = [...chunks.values()].find((chunk) => chunk.facadeModuleId?.endsWith('/src/main.tsx'));
        if (!main) throw new Error('the chunk of src/main.tsx is not in the bundle');
        const scripts = new Set<string>();
        const visit = (name: string) => {
          const chunk = chunks.get(name);
          if (!chunk || scripts.has(name)) return;
          scripts.add(name);
          chunk.imports.forEach(visit);
        };
        visit(main.fileName);
        const styles = new Set(
          [...scripts].flatMap((name) => [...(chunks.get(name)?.viteMetadata?.importedCss ?? [])]),
        );
        return [
          ...[...styles].map((name) => ({
            tag: 'link',
            attrs: { rel: 'stylesheet', crossorigin: true, href: `/${name}` },
            injectTo: 'head' as const,
          })),
          ...[...scripts].map((name) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
            injectTo: 'head' as const,
          })),
        ];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), preloadMain()],
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
            { name: 'library', test: /node_modules\/(@mantine\/core\/esm\/core|clsx)\// },
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

// Serves the built console as the product does: the pages under its exact headers (over plain HTTP without HSTS and
// without `upgrade-insecure-requests`), the API passed on to the server. Only for tests, and only on loopback.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

const PAGE_HEADERS = {
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'X-XSS-Protection': '1; mode=block',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), accelerometer=(), gyroscope=()',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self';",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

async function fileFor(path) {
  const file = normalize(join(DIST, path));
  if (!file.startsWith(DIST)) return null;
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? file : null;
}

/** Starts it; `upstream` is the address of the server. */
export async function startFront(upstream, port = 0) {
  const server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, 'http://localhost');
    if (/^\/(api|health|sso)(\/|$)/.test(pathname)) {
      const onward = request(
        upstream + incoming.url,
        { method: incoming.method, headers: { ...incoming.headers, 'x-forwarded-for': incoming.socket.remoteAddress } },
        (answer) => {
          outgoing.writeHead(answer.statusCode, answer.rawHeaders);
          answer.pipe(outgoing);
        },
      );
      onward.on('error', () => outgoing.writeHead(502, PAGE_HEADERS).end());
      incoming.pipe(onward);
      return;
    }
    const file = await fileFor(decodeURIComponent(pathname));
    if (!file && pathname.startsWith('/assets/')) {
      outgoing.writeHead(404, PAGE_HEADERS).end();
      return;
    }
    const served = file ?? join(DIST, 'index.html');
    const small = `${served}.gz`;
    const zipped = /\bgzip\b/.test(incoming.headers['accept-encoding']) && (await stat(small).catch(() => null));
    outgoing.writeHead(200, {
      ...PAGE_HEADERS,
      'Content-Type': TYPES[extname(served)] ?? 'application/octet-stream',
      'Cache-Control': pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
    });
    createReadStream(zipped ? small : served).pipe(outgoing);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://localhost:${server.address().port}`, close: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const front = await startFront(process.env.STRATORA_SERVER ?? 'http://127.0.0.1:8080', Number(process.env.PORT ?? 0));
  console.log(front.url);
}

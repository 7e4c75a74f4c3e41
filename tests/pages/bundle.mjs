// Apps in the browser, bundled from `apps/` and the npm packages of ../clients, and served from an origin of their own.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { esbuild } from './packages.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Bundles a file of `apps/`; gives its text. */
async function bundle(name) {
  const { build } = await esbuild();
  const { outputFiles: [script] } = await build({
    entryPoints: [join(HERE, 'apps', name)],
    nodePaths: [join(HERE, '../clients/node_modules')],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  return script.text;
}

/**
 * Runs `use` with an app of one page, which is the same at each path. `app.settings` is what its script finds in
 * `window.settings`.
 */
export async function withBundle(name, use) {
  const script = await bundle(name);
  const app = { settings: {} };
  const server = createServer((incoming, outgoing) => {
    const isScript = incoming.url === '/app.js';
    outgoing.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' });
    outgoing.end(isScript ? script : `<!doctype html><html lang="en"><title>App</title><main></main>
<script>window.settings = ${JSON.stringify(app.settings)}</script><script src="/app.js"></script>`);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  app.origin = `http://127.0.0.1:${server.address().port}`;
  try {
    return await use(app);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

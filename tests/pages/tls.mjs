// A server of its own behind TLS, for what accepts no issuer that begins with http.
//
// IDENTETY_PROGRAM is the program to run. The certificate is made by openssl, and nobody trusts it.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const READY = /^ {2}listens on {3}127\.0\.0\.1:(\d+)$/;

async function certificate(folder) {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', key, '-out', cert]);
  return { key: await readFile(key), cert: await readFile(cert) };
}

/** Sends each request on to `port`. */
function forward(port, incoming, outgoing) {
  const { method, url: path, headers } = incoming;
  const sent = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(outgoing);
  });
  sent.on('error', () => outgoing.destroy());
  incoming.pipe(sent);
}

/** Waits until the program says where it listens. */
async function port(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const [, found] = line.match(READY) ?? [];
    if (found) {
      return Number(found);
    }
  }
  return assert.fail('the server has ended');
}

/** Starts a server with an https issuer; gives the issuer, the path of its admin.json, and how to end it. */
export async function behindTls() {
  const folder = await mkdtemp(join(tmpdir(), 'identety-tls-'));
  let target;
  const front = createServer(await certificate(folder), (incoming, outgoing) => forward(target, incoming, outgoing));
  await new Promise((resolve) => { front.listen(0, 'localhost', resolve); });
  const issuer = `https://localhost:${front.address().port}`;
  const data = join(folder, 'data');
  const options = ['serve', '--port', '0', '--data', data, '--issuer', issuer];
  const server = spawn(process.env.IDENTETY_PROGRAM, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => { server.once('exit', resolve); });
  target = await port(server);
  server.stdout.resume();
  return {
    issuer,
    admin: join(data, 'admin.json'),
    async stop() {
      front.closeAllConnections();
      front.close();
      server.kill();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

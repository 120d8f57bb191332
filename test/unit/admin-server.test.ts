/** The port of metrics and profiles, on real sockets. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { startAdminServer } from '../../src/admin/server.ts';
import { freePort } from '../support/free-port.ts';

const skip = process.platform === 'linux' ? false : 'this needs 127.0.0.0/8 of Linux';
const addresses = ['127.0.0.2', '127.0.0.3'];

interface Opened {
  readonly port?: number;
  readonly failure?: string;
  close(): void;
}

/** Resolves when it listens or reports a failure. */
function open(port: number): Promise<Opened> {
  return new Promise((done) => {
    const server = startAdminServer({
      port,
      addresses,
      connectionsMax: 10,
      page: async () => ({ status: 200, contentType: 'text/plain', body: 'a page' }),
      isAllowed: () => true,
      onListening: (listening) => done({ port: listening, close: server.close }),
      onFailure: ({ code }, address) =>
        done({ failure: `${code} ${address}`, close: server.close }),
    });
  });
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  return server;
}

test('the port is the same on each address, a chosen one too', { skip }, async () => {
  for (const wanted of [await freePort(), 0]) {
    const { port, close } = await open(wanted);
    if (wanted !== 0) assert.equal(port, wanted);
    for (const address of addresses) {
      assert.equal(await (await fetch(`http://${address}:${port}/`)).text(), 'a page');
    }
    close();
  }
});

test('a port that is taken on one address is open on none, and told with that address', {
  skip,
}, async () => {
  const port = await freePort();
  const other = await listen(port, '127.0.0.3');
  const { failure, close } = await open(port);
  assert.equal(failure, 'EADDRINUSE 127.0.0.3');
  await assert.rejects(fetch(`http://127.0.0.2:${port}/`));
  close();
  other.close();
});

/** Here Linux chooses among some ten ports, half of which are in use on the second address. */
const narrow =
  'ip link set lo up; echo 32768 32787 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"';
const program = `
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startAdminServer } from ${JSON.stringify(resolve(import.meta.dirname, '../../src/admin/server.js'))};
for (let port = 32769; port < 32788; port += 4) {
  await once(createServer().listen(port, '127.0.0.3').unref(), 'listening');
}
for (let round = 0; round < 10; round++) {
  const said = await new Promise((resolve) => {
    const server = startAdminServer({
      port: 0, addresses: ['127.0.0.2', '127.0.0.3'], connectionsMax: 10,
      onListening: () => { server.close(); resolve('chosen'); },
      onFailure: ({ code }, address) => { server.close(); resolve(code + ' ' + address); },
    });
  });
  console.log(said);
}
process.exit(0);`;
const hasNetworks =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

test('a chosen port that somebody has on the second address is chosen again', {
  skip: skip || (hasNetworks ? false : 'a network of its own needs root, unshare and ip'),
}, () => {
  const inside = ['-n', 'sh', '-c', narrow, 'sh', process.execPath, '--input-type=module', '-e'];
  const { stdout, stderr } = spawnSync('unshare', [...inside, program], { encoding: 'utf8' });
  assert.deepEqual(stdout.trim().split('\n'), Array(10).fill('chosen'), stderr);
});

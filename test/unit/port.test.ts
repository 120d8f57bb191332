/** Addresses and ports on real sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { everywhere } from '../../src/config/bind-address.ts';
import { findAddresses, findPort } from '../../src/primary/port.ts';
import { freePort } from '../support/free-port.ts';

const hasIpv6 = (networkInterfaces()['lo'] ?? []).some(({ address }) => address === '::1');
const withoutIpv6 = hasIpv6 ? false : 'this machine has no IPv6';
const withoutLinux = process.platform === 'linux' ? false : 'this needs 127.0.0.0/8 of Linux';

/** A port outside the ephemeral range: it stays free on the other addresses. */
async function occupy(host: string): Promise<{ other: Server; port: number }> {
  const port = await freePort();
  const other = createServer().listen(port, host);
  await once(other, 'listening');
  return { other, port };
}

test('an address that the machine does not have is left out of the default, and refused in a list', async () => {
  const addresses = ['127.0.0.1', '192.0.2.1', '2001:db8::1'];
  assert.deepEqual(await findAddresses({ addresses, isDefault: true }), ['127.0.0.1']);
  for (const foreign of ['192.0.2.1', '2001:db8::1']) {
    await assert.rejects(
      findAddresses({ addresses: ['127.0.0.1', foreign], isDefault: false }),
      new RegExp(`^Error: BIND_ADDRESS: this machine has no address ${foreign} `),
    );
  }
  const nothing = { addresses: ['192.0.2.1'], isDefault: true };
  await assert.rejects(findAddresses(nothing), /none of the addresses 192\.0\.2\.1/);
});

test('every address is one socket where there is IPv6', { skip: withoutIpv6 }, async () => {
  const addresses = everywhere;
  assert.deepEqual(await findAddresses({ addresses, isDefault: true }), ['::']);
});

test('a port that is taken on one of the addresses is refused by its name', {
  skip: withoutLinux || withoutIpv6,
}, async () => {
  for (const [host, wanted, named] of [
    ['127.0.0.1', ['127.0.0.1', '::1'], '127.0.0.1'],
    ['::1', ['127.0.0.1', '::1'], '::1'],
    ['127.0.0.2', ['0.0.0.0'], '0.0.0.0'],
    ['127.0.0.2', ['::'], '::'],
    ['::1', ['::'], '::'],
    ['0.0.0.0', ['127.0.0.2'], '127.0.0.2'],
    ['::', ['127.0.0.2'], '127.0.0.2'],
    ['::', ['::1'], '::1'],
  ] as const) {
    const { other, port } = await occupy(host);
    await assert.rejects(
      findPort(port, wanted),
      new RegExp(`^Error: port ${port} is taken on ${named}: .*PORT`),
      `${host} ${wanted}`,
    );
    other.close();
  }
});

test('one program on one address takes the port from no other address', {
  skip: withoutLinux,
}, async () => {
  const { other, port } = await occupy('127.0.0.2');
  assert.equal(await findPort(port, ['127.0.0.1', '127.0.0.3']), port);
  other.close();
});

test('any port is the same on each address', async () => {
  const port = await findPort(0, await findAddresses({ addresses: everywhere, isDefault: true }));
  assert.ok(port >= 1024 && port < 65_536);
  for (const host of ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])]) {
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    server.close();
  }
});

/** The addresses on which the ports listen. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { scrape } from '../support/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { complaintsOf, runToExit, type Service, startService } from '../support/service.ts';

const credentials = { METRICS_USERNAME: 'who-measures', METRICS_PASSWORD: 'hunter2-hunter2' };
const loopbacks = (networkInterfaces()['lo'] ?? []).map(({ address }) => address);
const withoutIpv6 = loopbacks.includes('::1') ? false : 'this machine has no IPv6';
/** On Linux all of 127.0.0.0/8 is loopback. */
const withoutLinux = process.platform === 'linux' ? false : 'this needs Linux';
/** The log line; production has no profiles. */
const served = /^metrics( and profiles)? are served$/;
let database: TestDatabase;

before(async () => {
  database = await createTestDatabase('binding');
});
after(async () => {
  await database?.drop();
});

/** @returns whether a connection succeeds. */
async function listens(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    return false;
  } finally {
    socket.destroy();
  }
}

async function metricsPortOf(service: Service): Promise<number> {
  const line = await service.logged(({ message }) => served.test(message));
  return line['port'] as number;
}

/** Checks both ports. @param on the addresses in the log. */
async function checkListening(
  service: Service,
  expected: Readonly<Record<string, boolean>>,
  on: string,
): Promise<void> {
  const ports = [service.port, await metricsPortOf(service)];
  for (const [host, isOpen] of Object.entries(expected)) {
    if (host.includes(':') && withoutIpv6 !== false) continue;
    for (const port of ports) assert.equal(await listens(host, port), isOpen, `${host} ${port}`);
  }
  if (withoutIpv6 !== false) return;
  for (const said of [/^listening$/, served]) {
    assert.equal(service.log.find(({ message }) => said.test(message))?.['on'], on);
  }
}

test('both ports in development are for this machine alone, and nobody else has them', {
  skip: withoutLinux,
}, async (t) => {
  const service = await startService({ database: database.config });
  t.after(() => service.stop());
  await checkListening(
    service,
    { '127.0.0.1': true, '::1': true, '127.0.0.2': false },
    '127.0.0.1, ::1',
  );
  for (const host of ['127.0.0.1', 'localhost']) {
    assert.equal((await fetch(`http://${host}:${service.port}/readyz`)).status, 200);
  }
  // The second service reports the address in use, whether it shares the port or not.
  const { code, log } = await runToExit({
    database: database.config,
    env: { PORT: String(service.port), FRONTENDS: '2', BIND_ADDRESS: '127.0.0.2,127.0.0.1' },
  });
  assert.equal(code, 1);
  const errors = log.filter(({ level }) => level === 'error').map(({ message }) => message);
  const expected = `port ${service.port} is taken on 127.0.0.1: stop what listens there, or set PORT`;
  assert.deepEqual(errors, [expected]);
});

test('a list of addresses is what several front ends share, one that dies is replaced there', {
  skip: withoutLinux,
}, async (t) => {
  const service = await startService({
    database: database.config,
    env: { BIND_ADDRESS: '127.0.0.2, 127.0.0.3', FRONTENDS: '2' },
  });
  t.after(() => service.stop());
  await checkListening(
    service,
    { '127.0.0.1': false, '::1': false, '127.0.0.2': true, '127.0.0.3': true },
    '127.0.0.2, 127.0.0.3',
  );
  assert.equal(
    service.log.find(({ message }) => message === 'listening')?.['url'],
    `http://127.0.0.2:${service.port}`,
  );
  process.kill(service.frontEnds()[0]!, 'SIGKILL');
  await service.logged(({ message }) => message === 'a front end was replaced');
  for (const host of ['127.0.0.2', '127.0.0.3']) {
    for (let round = 0; round < 8; round++) {
      // A new connection for each request: the kernel chooses the front end.
      const headers = { Connection: 'close' };
      const answer = await fetch(`http://${host}:${service.port}/readyz`, { headers });
      assert.equal(answer.status, 200);
    }
  }
});

test('both ports in production are open on every address, and there are no profiles', async (t) => {
  const service = await startService({
    database: database.config,
    env: { ENV: 'production', SHUTDOWN_DELAY_MS: '0', DB_AUTO_MIGRATE: 'true', ...credentials },
  });
  t.after(() => service.stop());
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  const expected: Record<string, boolean> = { '127.0.0.1': true, '::1': true };
  if (withoutLinux === false) expected['127.0.0.2'] = true;
  if (outer !== undefined) expected[outer.address] = true;
  await checkListening(service, expected, 'every address, IPv4 and IPv6');
  const options = { credentials: Object.values(credentials).join(':') };
  assert.equal((await scrape(service.port, options)).status, 200);
  for (const port of [service.port, await metricsPortOf(service)]) {
    assert.equal((await scrape(port, { ...options, path: '/debug/pprof/cmdline' })).status, 404);
  }
});

test('an address that is not of this machine is a clear fault', async () => {
  const env = { BIND_ADDRESS: '127.0.0.1,192.0.2.1' };
  const { code, log } = await runToExit({ database: database.config, env });
  assert.equal(code, 1);
  assert.deepEqual(
    log.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['BIND_ADDRESS: this machine has no address 192.0.2.1 (EADDRNOTAVAIL): name one that it has'],
  );
});

const noNetwork =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
    ? false
    : 'a network without IPv6 needs root, unshare and ip';

test('a machine without IPv6 is listened on with IPv4 alone, and nothing is said of it', {
  skip: noNetwork === false && !isSocket() ? 'the database is not on a socket' : noNetwork,
}, async () => {
  const network = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up; exec "$@"';
  const service = await startService({
    database: database.config,
    within: ['unshare', '-n', 'sh', '-c', network, 'sh'],
  });
  await metricsPortOf(service);
  for (const said of [/^listening$/, served]) {
    assert.equal(service.log.find(({ message }) => said.test(message))?.['on'], '127.0.0.1');
  }
  const program = `fetch('http://localhost:${service.port}/readyz').then(({ status }) => console.log(status))`;
  const inside = ['-t', String(service.pid), '-n', process.execPath, '-e', program];
  assert.equal(execFileSync('nsenter', inside, { encoding: 'utf8' }), '200\n');
  assert.equal(await service.stop(), 0);
  assert.deepEqual(complaintsOf(service), []);
});

/** A Unix socket is a file, which exists in every network namespace. */
function isSocket(): boolean {
  return (process.env['TEST_DB_HOST'] ?? '').startsWith('/');
}

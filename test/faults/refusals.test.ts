/** A PostgreSQL that is up and refuses connections or statements, with clients at work. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createApi, faultsOf } from '../support/api.ts';
import { type Cluster, startCluster, trustAll } from '../support/cluster.ts';
import { runFault } from '../support/fault-bench.ts';
import { eventually, makeFolder, startService } from '../support/service.ts';

let cluster: Cluster;
const role = 'tasks_app';

before(async () => {
  cluster = await startCluster();
  await cluster.administer(`CREATE ROLE ${role} LOGIN PASSWORD 'right'`);
});

/** A database owned by a role without privileges, as recommended for a service. */
async function ownDatabase(name: string): Promise<DatabaseConfig> {
  await cluster.administer(`CREATE DATABASE ${name} OWNER ${role}`);
  return cluster.database(name, { user: role, password: 'right' });
}

test('the server is read-only for a while: reads are served, writes refused', async (t) => {
  const database = await cluster.database('read_only');
  await runFault(t, {
    database,
    async fault({ hold, probe }) {
      await cluster.administer(
        'ALTER SYSTEM SET default_transaction_read_only = on',
        'SELECT pg_reload_conf()',
      );
      await eventually(async () => (await probe()).change === 503, 'writes are not refused');
      const { ready, read, list } = await probe();
      assert.deepEqual([ready, read, list], [200, 404, 200]);
      await hold();
      await cluster.administer(
        'SET default_transaction_read_only = off',
        'ALTER SYSTEM RESET default_transaction_read_only',
        'SELECT pg_reload_conf()',
      );
    },
  });
});

test('the role may have no connections for a while', async (t) => {
  const database = await ownDatabase('role_limit');
  await runFault(t, {
    database,
    async fault({ hold, probe, service }) {
      await cluster.administer(`ALTER ROLE ${role} CONNECTION LIMIT 0`, endSessionsOf(database));
      assert.deepEqual(await probe(), { live: 200, ready: 503, read: 503, list: 503, change: 503 });
      await expectNothingSent(service.port);
      await hold();
      await expectNothingSent(service.port);
      await cluster.administer(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    },
  });
});

test('the server has fewer connections than the service wants', async (t) => {
  const database = await cluster.database('few_connections');
  await runFault(t, {
    database,
    async fault({ hold }) {
      await cluster.stop();
      cluster.configure('max_connections = 8\nsuperuser_reserved_connections = 0');
      await cluster.start();
      await hold();
      await cluster.stop();
      cluster.configure('max_connections = 60\nsuperuser_reserved_connections = 3');
      await cluster.start();
    },
  });
});

test('the password is another one after a restart, for a while', async (t) => {
  const database = await ownDatabase('password');
  cluster.admit(`host all ${role} 127.0.0.1/32 scram-sha-256\n${trustAll}`);
  t.after(() => cluster.admit(trustAll));
  await runFault(t, {
    database,
    async fault({ hold, probe }) {
      await cluster.administer(`ALTER ROLE ${role} PASSWORD 'another'`);
      await cluster.stop();
      await cluster.start();
      assert.deepEqual(await probe(), { live: 200, ready: 503, read: 503, list: 503, change: 503 });
      await hold();
      await cluster.administer(`ALTER ROLE ${role} PASSWORD 'right'`);
    },
  });
});

test('sessions are ended by an administrator, again and again', async (t) => {
  const database = await cluster.database('terminated');
  await runFault(t, {
    database,
    async fault({ repeat }) {
      await repeat(50, () => cluster.administer(endSessionsOf(database)));
    },
  });
});

test('statements are cancelled by an administrator, again and again', async (t) => {
  const database = await cluster.database('cancelled');
  await runFault(t, {
    database,
    // A statement of half a millisecond is rarely in flight at that moment.
    mayPassUnnoticed: true,
    async fault({ repeat }) {
      await repeat(5, () =>
        cluster.administer(
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
           WHERE datname = '${database.name}' AND state = 'active'`,
        ),
      );
    },
  });
});

test('the database is dropped, made again without tables, and restored from a copy', async (t) => {
  const database = await cluster.database('restored');
  await runFault(t, {
    database,
    async fault({ hold, probe }) {
      const gone = { live: 200, ready: 503, read: 503, list: 503, change: 503 };
      await cluster.administer(
        `ALTER DATABASE restored ALLOW_CONNECTIONS false`,
        endSessionsOf(database),
        `ALTER DATABASE restored RENAME TO original`,
      );
      assert.deepEqual(await probe(), gone);
      await hold();
      await cluster.administer('CREATE DATABASE restored');
      const { live, read, list, change } = await probe();
      assert.deepEqual([live, read, list, change], [200, 503, 503, 503]);
      await hold();
      await cluster.administer(
        'DROP DATABASE restored WITH (FORCE)',
        'CREATE DATABASE restored TEMPLATE original',
      );
    },
  });
});

test("no list of today is served after a restore of yesterday's copy", async () => {
  const database = await cluster.database('yesterday');
  const service = await startService({ database });
  const api = createApi(service.port);
  await api.create();
  await cluster.administer(
    'ALTER DATABASE yesterday ALLOW_CONNECTIONS false',
    endSessionsOf(database),
    'CREATE DATABASE copy TEMPLATE yesterday',
    'ALTER DATABASE yesterday ALLOW_CONNECTIONS true',
  );
  await eventually(async () => (await api.post({ title: 'today' })).status === 201, 'still away');
  for (let time = 0; time < 2; time++) {
    assert.equal((await api.get('/api/tasks')).body.meta.total, 2);
  }
  await cluster.administer(
    'DROP DATABASE yesterday WITH (FORCE)',
    'CREATE DATABASE yesterday TEMPLATE copy',
    'ALTER DATABASE yesterday ALLOW_CONNECTIONS true',
  );
  await eventually(async () => (await api.get('/api/tasks')).status === 200, 'still away');
  assert.equal((await api.get('/api/tasks')).body.meta.total, 1);
  api.close();
  assert.equal(await service.stop(), 0);
});

const mayMount = process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0;
const diskBytes = 160 * 1024 * 1024;

test('the disk of the server is full for a while', {
  skip: mayMount ? false : 'a small disk of its own needs root: mount -t tmpfs',
}, async (t) => {
  const disk = makeFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk]);
  if (mounted.status !== 0) return t.skip('this system does not let root mount a tmpfs');
  t.after(() => spawnSync('umount', ['--lazy', disk]));
  const small = await startCluster({
    folder: disk,
    settings: ['max_wal_size = 32MB', 'min_wal_size = 32MB', 'shared_buffers = 4MB'],
  });
  t.after(() => small.stop('SIGKILL'));
  const database = await small.database('full');
  const ballast = join(disk, 'ballast');
  let died = false;
  await runFault(t, {
    database,
    async fault({ hold, probe }) {
      for (let round = 0; round < 3; round++) {
        const { bavail, bsize } = statfsSync(disk);
        try {
          writeFileSync(ballast, Buffer.alloc(bavail * bsize), { flag: 'a' });
        } catch {
          // Another writer was faster: the disk is full now.
        }
        // Free space in existing pages and segments still takes a while to fill.
        await small
          .administer(
            "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 100000)",
          )
          .catch(() => undefined);
        await hold();
      }
      assert.equal((await probe()).live, 200);
      rmSync(ballast);
      // The server ended itself when it could not write its log; it may restart.
      if (!small.runs()) {
        died = true;
        await small.start();
      }
      await untilItWrites(small);
    },
  });
  t.diagnostic(died ? 'the server died of it' : 'the server lived through it');
});

/** None of many concurrent writes was sent, so none may take effect. */
async function expectNothingSent(port: number): Promise<void> {
  const api = createApi(port, 30);
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, place) => api.put(2 ** 52 + place, { title: 'nobody' })),
  );
  api.close();
  assert.deepEqual([...new Set(answers.map((answer) => faultsOf(answer).join()))], ['unavailable']);
}

function endSessionsOf({ name }: DatabaseConfig): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`;
}

async function untilItWrites(server: Cluster): Promise<void> {
  await eventually(
    () =>
      server
        .administer('CREATE TABLE IF NOT EXISTS writes (n int)', 'INSERT INTO writes VALUES (1)')
        .then(
          () => true,
          () => false,
        ),
    'the server does not recover',
    30_000,
  );
}

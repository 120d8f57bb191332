/** A PgBouncer that restarts, waits, or loses the server behind it, with clients at work. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, describe, test } from 'node:test';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type FaultOptions, runFault } from '../support/fault-bench.ts';
import {
  type PgBouncer,
  presentPgBouncer,
  startPgBouncer,
  withoutProgram,
} from '../support/pgbouncer.ts';

let cluster: Cluster;
const settings = ['pool_mode = transaction', 'default_pool_size = 5'];
const most = 40;
const away = { live: 200, ready: 503, read: 503, list: 503, change: 503 };

describe('PgBouncer', { skip: withoutProgram(presentPgBouncer, '1.21 or newer') }, () => {
  before(async () => {
    cluster = await startCluster();
  });

  /** Only in make test-faults. */
  const longForm = process.env['FAULT_SECONDS'] === undefined && 'one of those of make test-faults';

  interface PoolerFault extends Omit<FaultOptions, 'database' | 'truth' | 'fault'> {
    readonly more?: readonly string[];
    readonly skip?: string | false;
    readonly fault: (
      bouncer: PgBouncer,
      bench: Parameters<FaultOptions['fault']>[0],
      name: string,
    ) => Promise<void>;
  }

  function testFault(
    name: string,
    { more = [], skip = false, fault, ...options }: PoolerFault,
  ): void {
    test(name, { skip }, async (t) => {
      const database = await cluster.database(name.toLowerCase().replaceAll(/[^a-z]+/g, '_'));
      const bouncer = await startPgBouncer({
        program: presentPgBouncer!,
        cluster,
        settings: [...settings, ...more],
      });
      await runFault(t, {
        ...options,
        database: bouncer.through(database),
        truth: database,
        env: { DB_POOLER: 'transaction', ...options.env },
        fault: (bench) => fault(bouncer, bench, database.name),
      });
      await bouncer.stop();
    });
  }

  testFault('is stopped and started again', {
    async fault(bouncer, { hold, probe }) {
      await bouncer.stop();
      assert.deepEqual(await probe(), away);
      await hold();
      await bouncer.start();
    },
  });

  testFault('is killed', {
    skip: longForm,
    async fault(bouncer) {
      await bouncer.stop('SIGKILL');
      await bouncer.start();
    },
  });

  testFault('pauses for longer than a request may take, and goes on', {
    env: { REQUEST_TIMEOUT_MS: '500' },
    async fault(bouncer, { hold, probe }) {
      await bouncer.command('PAUSE');
      assert.deepEqual(await probe(), away);
      await hold();
      await bouncer.command('RESUME');
    },
  });

  testFault('pauses for a moment, reloads, and connects to the server anew', {
    mayPassUnnoticed: true,
    async fault(bouncer, { repeat }) {
      await repeat(50, async () => {
        await bouncer.command('PAUSE');
        await bouncer.command('RESUME');
        await bouncer.command('RELOAD');
        await bouncer.command('RECONNECT');
      });
    },
  });

  testFault('sends its clients away', {
    skip: longForm,
    async fault(bouncer, { hold }, name) {
      await bouncer.command(`KILL ${name}`);
      await hold();
      await bouncer.command(`RESUME ${name}`);
    },
  });

  testFault('gives up who waits for the server', {
    skip: longForm,
    more: ['query_wait_timeout = 0.3', 'default_pool_size = 1', 'server_reset_query_always = 1'],
    mayPassUnnoticed: true,
    async fault(_, { hold }) {
      cluster.freeze();
      await hold();
      cluster.thaw();
    },
  });

  testFault('is full', {
    skip: longForm,
    more: [`max_client_conn = ${most}`],
    async fault(bouncer, { hold }) {
      await bouncer.stop();
      await bouncer.start();
      const others = Array.from({ length: most }, () => connect(bouncer.port, '127.0.0.1'));
      for (const other of others) other.on('error', () => undefined);
      await hold();
      for (const other of others) other.destroy();
    },
  });

  testFault('loses all sessions of the server', {
    async fault(_, { repeat }) {
      await repeat(100, () =>
        cluster.administer(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tasks pooled'",
        ),
      );
    },
  });

  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    testFault(`loses the server, by ${signal}, and it comes back`, {
      skip: signal === 'SIGINT' && longForm,
      async fault(_, { hold, probe }) {
        await cluster.stop(signal);
        assert.deepEqual(await probe(), away);
        await hold();
        await cluster.start();
      },
    });
  }
});

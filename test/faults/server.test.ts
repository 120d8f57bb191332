/** A PostgreSQL that dies, stops, hangs, refuses or is replaced, with clients at work. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { runFault } from '../support/fault-bench.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { eventually } from '../support/service.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

const ours = `application_name LIKE 'tasks %'`;

test('one backend is killed, which makes PostgreSQL end all others and recover', async (t) => {
  const database = await cluster.database('backend_killed');
  await runFault(t, {
    database,
    async fault() {
      let writer: { pid: number } | undefined;
      await eventually(async () => {
        [writer] = await cluster.ask<{ pid: number }>(
          database,
          `SELECT pid FROM pg_stat_activity WHERE ${ours} AND application_name LIKE '% change'`,
        );
        return writer !== undefined;
      }, 'nobody changes a task');
      process.kill(writer!.pid, 'SIGKILL');
      await untilItAnswers(database);
    },
  });
});

test('all backends are killed, three times', async (t) => {
  const database = await cluster.database('backends_killed');
  await runFault(t, {
    database,
    async fault({ hold }) {
      for (let time = 0; time < 3; time++) {
        const backends = await cluster.ask<{ pid: number }>(
          database,
          `SELECT pid FROM pg_stat_activity WHERE ${ours}`,
        );
        for (const { pid } of backends) kill(pid);
        await untilItAnswers(database);
        await hold();
      }
    },
  });
});

for (const [name, signal] of [
  ['the server is killed and started again', 'SIGKILL'],
  ['the server is stopped at once and started again', 'SIGQUIT'],
  ['the server is restarted in order', 'SIGINT'],
] as const) {
  test(name, async (t) => {
    const database = await cluster.database(`server_${signal.toLowerCase()}`);
    await runFault(t, {
      database,
      async fault({ hold, probe }) {
        await cluster.stop(signal);
        assert.deepEqual(await probe(), {
          live: 200,
          ready: 503,
          read: 503,
          list: 503,
          change: 503,
        });
        await hold();
        await cluster.start();
      },
    });
  });
}

test('the server is frozen for longer than a request may take', async (t) => {
  const database = await cluster.database('frozen');
  await runFault(t, {
    database,
    env: { REQUEST_TIMEOUT_MS: '500' },
    async fault({ hold, probe }) {
      cluster.freeze();
      const { live, ready, read, list, change } = await probe();
      assert.deepEqual([live, ready, read, list, change], [200, 503, 503, 503, 503]);
      await hold();
      cluster.thaw();
    },
  });
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with the first one.
  }
}

async function untilItAnswers(database: Parameters<Cluster['ask']>[0]): Promise<void> {
  for (;;) {
    try {
      await cluster.ask(database, 'SELECT 1');
      return;
    } catch {
      await sleep(20);
    }
  }
}

test('the server fails over to its replica, which has everything acknowledged', async (t) => {
  const primary = await startCluster({
    settings: ['wal_level = replica', 'max_wal_senders = 4', 'hot_standby = on'],
  });
  const database = await primary.database('failover');
  const replica = await primary.replicate();
  const proxy = await startFaultProxy(primary.port);
  t.after(proxy.close);
  await runFault(t, {
    database: { ...database, port: proxy.port },
    truth: { ...database, port: replica.port },
    async fault({ hold }) {
      await primary.stop('SIGKILL');
      // For a while the server is a standby.
      proxy.aim(replica.port);
      await hold();
      replica.promote();
    },
  });
});

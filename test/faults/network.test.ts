/** A faulty network between the service and PostgreSQL, with clients at work. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type FaultBench, runFault } from '../support/fault-bench.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

interface NetworkFault {
  readonly name: string;
  readonly fault: (proxy: FaultProxy, bench: FaultBench) => Promise<void>;
  readonly env?: Readonly<Record<string, string>>;
  readonly mayPassUnnoticed?: boolean;
  readonly patienceMs?: number;
}

const pass = { type: 'pass' } as const;

const faults: readonly NetworkFault[] = [
  {
    name: 'cuts all connections and takes no new ones',
    async fault(proxy, { hold, probe }) {
      proxy.behave({ type: 'cut' });
      assert.deepEqual(await probe(), { live: 200, ready: 503, read: 503, list: 503, change: 503 });
      await hold();
      proxy.behave(pass);
    },
  },
  {
    name: 'resets all connections, again and again',
    async fault(proxy, { repeat }) {
      await repeat(50, () => proxy.reset());
    },
  },
  {
    name: 'closes half of each connection, again and again',
    async fault(proxy, { repeat }) {
      await repeat(50, () => proxy.halfClose());
    },
  },
  {
    name: 'delays every answer',
    mayPassUnnoticed: true,
    async fault(proxy, { hold }) {
      proxy.behave({ type: 'delay', milliseconds: 100 });
      await hold();
      proxy.behave(pass);
    },
  },
  {
    name: 'holds everything for longer than a request may take, and delivers it late',
    env: { REQUEST_TIMEOUT_MS: '500' },
    async fault(proxy, { hold, probe }) {
      proxy.behave({ type: 'freeze' });
      const { live, ready, read, change } = await probe();
      assert.deepEqual([live, ready, read, change], [200, 503, 503, 503]);
      await hold();
      proxy.behave(pass);
    },
  },
  {
    // Statements in flight are abandoned with the connection a second after their timeout.
    name: 'forgets its connections without a word',
    env: { REQUEST_TIMEOUT_MS: '500' },
    async fault(proxy) {
      proxy.forget();
    },
    patienceMs: 500 + 1000 + 2000,
  },
];

for (const { name, fault, ...options } of faults) {
  test(`the network ${name}`, async (t) => {
    const database = await cluster.database(
      `network_${faults.findIndex((one) => one.name === name)}`,
    );
    const proxy = await startFaultProxy(database.port);
    t.after(proxy.close);
    await runFault(t, {
      database: { ...database, port: proxy.port },
      truth: database,
      fault: (bench) => fault(proxy, bench),
      ...options,
    });
  });
}

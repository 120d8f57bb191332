/** A service that starts before its database, and the log of an outage. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { createApi, faultsOf } from '../support/api.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { probe } from '../support/fault-bench.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { eventually, type Service, startService } from '../support/service.ts';

const gone = { live: 200, ready: 503, read: 503, list: 503, change: 503 };
const seconds = Number(process.env['FAULT_SECONDS'] ?? 2);

let cluster: Cluster;

before(async () => {
  cluster = await startCluster();
});

function said(service: Service, message: string): number {
  return service.log.filter((line) => line.message === message).length;
}

async function expectAway(service: Service): Promise<void> {
  assert.deepEqual(await probe(service.port), gone);
  const api = createApi(service.port);
  const answer = await api.post({ title: 'too early' });
  assert.deepEqual([answer.status, faultsOf(answer)], [503, ['unavailable']]);
  api.close();
}

async function expectServes(service: Service): Promise<number> {
  const began = performance.now();
  const api = createApi(service.port);
  await eventually(
    async () => (await api.post({ title: 'at last' })).status === 201,
    () => `never served: ${JSON.stringify(service.log)}`,
  );
  const took = performance.now() - began;
  assert.equal((await api.get('/readyz')).status, 200);
  assert.equal((await api.get('/api/tasks')).body.meta.total, 1);
  api.close();
  return took;
}

for (const [name, autoMigrate] of [
  ['a database that does not exist yet is made and migrated', 'true'],
  ['a database that is migrated already is used', 'false'],
] as const) {
  test(`a service that started without a server finds one later: ${name}`, async (t) => {
    const database: DatabaseConfig =
      autoMigrate === 'false'
        ? await cluster.database('absent_false')
        : { ...(await cluster.database('template_only')), name: 'absent_true' };
    await cluster.stop();
    const service = await startService({ database, env: { DB_AUTO_MIGRATE: autoMigrate } });
    await expectAway(service);
    await cluster.start();
    t.diagnostic(`recovery ${Math.round(await expectServes(service))} ms`);
    assert.equal(await service.stop(), 0);
    assert.equal(said(service, 'the database is away'), 1);
    assert.equal(said(service, 'the database is back'), 1);
  });
}

test('a server that says nothing does not keep the service from starting', async (t) => {
  const database = await cluster.database('silent_start');
  const proxy = await startFaultProxy(database.port);
  t.after(proxy.close);
  proxy.behave({ type: 'freeze' });
  const service = await startService({ database: { ...database, port: proxy.port } });
  await expectAway(service);
  proxy.behave({ type: 'pass' });
  t.diagnostic(`recovery ${Math.round(await expectServes(service))} ms`);
  assert.equal(await service.stop(), 0);
});

test('a service that waits for its database stops in order', async () => {
  const database = await cluster.database('stopped_early');
  await cluster.stop();
  const service = await startService({ database });
  assert.equal(await service.stop(), 0);
  assert.equal(service.log.at(-1)?.message, 'stopped');
  await cluster.start();
});

test('a schema that turns out to be newer ends the service with a message', async () => {
  const database = await cluster.database('newer');
  await cluster.ask(database, 'UPDATE schema_migrations SET version = 999');
  await cluster.stop();
  const service = await startService({ database });
  await expectAway(service);
  await cluster.start();
  const line = await service.logged(({ level }) => level === 'error');
  assert.match(line.message, /newer/);
  await eventually(() => service.frontEnds().length === 0, 'a front end was left behind');
});

test('an outage under load is a few lines in the log', async (t) => {
  const database = await cluster.database('flood');
  const service = await startService({ database });
  await cluster.stop();
  const until = performance.now() + seconds * 1000;
  let refused = 0;
  await Promise.all(
    Array.from({ length: 32 }, async (_, client) => {
      const api = createApi(service.port, 1);
      while (performance.now() < until) {
        const answer = await (client % 2 === 0 ? api.get('/api/tasks') : api.post({ title: 'x' }));
        assert.equal(answer.status, 503);
        refused++;
      }
      api.close();
    }),
  );
  await cluster.start();
  await service.logged((line) => line.message === 'the database is back');
  assert.equal(await service.stop(), 0);
  assert.equal(said(service, 'the database is away'), 1);
  assert.equal(said(service, 'the database is back'), 1);
  const lines = service.log.length;
  t.diagnostic(`${refused} requests refused in ${seconds} s, ${lines} lines logged`);
  // Ten lines and a sum per second; the last second may have begun after the end.
  assert.ok(lines <= 11 * (seconds + 2) + 10, `${lines} lines`);
  assert.ok(refused > lines);
  assert.ok(said(service, 'more requests failed') > 0);
});

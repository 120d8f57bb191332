import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { startEmbedded, stopEmbedded } from '../../src/embedded/embedded.ts';
import { createApi, faultsOf } from '../support/api.ts';
import { silentLog } from '../support/postgres.ts';
import { eventually, makeFolder, startService } from '../support/service.ts';

test('a service without its database lives, is not ready, answers unavailable, and recovers', async () => {
  const folder = makeFolder();
  const dataDir = join(folder, 'pg');
  const start = () => startEmbedded({ dataDir, log: silentLog, keep: true });
  const database = await start();
  await migrateUp(database.config, silentLog);
  await database.stop();
  const service = await startService({ database: database.config });
  const api = createApi(service.port);
  try {
    for (const path of ['/livez', '/healthz', '/readyz']) {
      assert.equal((await api.get(path)).status, 200, path);
    }
    const id = await api.create();

    await stopEmbedded(dataDir);
    assert.equal((await api.get('/livez')).status, 200);
    const notReady = await api.get('/readyz');
    assert.deepEqual([notReady.status, faultsOf(notReady)], [503, ['unavailable']]);
    for (const answer of [
      await api.get(`/api/tasks/${id}`),
      await api.get('/api/tasks'),
      await api.post({ title: 'x' }),
      await api.remove(id),
    ]) {
      assert.deepEqual([answer.status, faultsOf(answer)], [503, ['unavailable']]);
    }

    const away = await service.logged(({ message }) => message === 'the database is away');
    assert.match(String(away['reason']), /^[a-z ]+ (socket|connection|server|session).*\(/);

    await (await start()).stop();
    await eventually(async () => (await api.get('/readyz')).status === 200, 'never ready again');
    assert.equal((await api.get(`/api/tasks/${id}`)).status, 200);
    assert.equal((await api.post({ title: 'x' })).status, 201);
  } finally {
    api.close();
    await service.stop();
    await stopEmbedded(dataDir);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('curl, as in the README, is understood', {
  skip: hasCurl() ? false : 'install curl',
}, async () => {
  const service = await startService();
  const url = `http://localhost:${service.port}/api/tasks`;
  const create = [
    '-s',
    url,
    '-H',
    'Content-Type: application/json',
    '-d',
    '{"title":"Sample task"}',
  ];
  const created = JSON.parse(spawnSync('curl', create, { encoding: 'utf8' }).stdout);
  assert.deepEqual([created.data.id, created.data.title], [1, 'Sample task']);
  const read = JSON.parse(spawnSync('curl', ['-s', `${url}/1`], { encoding: 'utf8' }).stdout);
  assert.deepEqual(read.data, created.data);
  assert.equal(await service.stop(), 0);
});

function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0;
}

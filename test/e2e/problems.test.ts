/** Real failures behind the service: locks, ended sessions, no server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApi, faultsOf } from '../support/api.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';
import { endWriters, waitingWriters, whileWritesWait } from '../support/trouble.ts';

const suite = useService('problems', {
  env: { QUEUE_MAX: '1', REQUEST_TIMEOUT_MS: '4000' },
});

test('a full queue answers overloaded at once and reads go on', async () => {
  const api = createApi(suite.service.port, 50);
  try {
    await whileWritesWait(suite.database, async () => {
      const posts = Array.from({ length: 20 }, () => api.post({ title: 'crowd' }));
      const first = await Promise.race(posts);
      assert.equal(first.status, 503);
      assert.deepEqual(faultsOf(first), ['overloaded']);
      assert.equal((await suite.api.get('/api/tasks/999999999')).status, 404);
      void Promise.allSettled(posts);
    });
  } finally {
    api.close();
  }
});

test('a write that waits too long for a lock is unavailable, and nothing was written', async () => {
  await eventually(async () => (await waitingWriters(suite.database)) === 0, 'writers still wait');
  await whileWritesWait(suite.database, async () => {
    const answer = await suite.api.post({ title: 'too late' });
    assert.deepEqual([answer.status, faultsOf(answer)], [503, ['unavailable']]);
  });
  await eventually(async () => (await waitingWriters(suite.database)) === 0, 'writers still wait');
  const [row] = await suite.database.sql<{ count: string }[]>`
    SELECT count(*) AS count FROM tasks WHERE title = 'too late'`;
  assert.equal(row!.count, '0');
});

test('a write whose session is ended by the server has an unknown outcome', async () => {
  await whileWritesWait(suite.database, async () => {
    const post = suite.api.post({ title: 'who knows' });
    await eventually(
      async () => (await waitingWriters(suite.database)) > 0,
      'the write does not wait',
    );
    await endWriters(suite.database);
    const answer = await post;
    assert.deepEqual([answer.status, faultsOf(answer)], [503, ['outcome_unknown']]);
    assert.match(answer.body.message, new RegExp(answer.headers['x-request-id'] as string));
  });
  const written = await suite.api.post({ title: 'afterwards' });
  assert.equal(written.status, 201);
});

test('a failure is logged under its request id, with a code and without values', async () => {
  await whileWritesWait(suite.database, async () => {
    const headers = { 'X-Request-Id': 'find-me' };
    const post = suite.api.post({ title: 'a secret title' }, { headers });
    await eventually(
      async () => (await waitingWriters(suite.database)) > 0,
      'the write does not wait',
    );
    await endWriters(suite.database);
    assert.equal((await post).status, 503);
  });
  const line = await suite.service.logged((entry) => entry['requestId'] === 'find-me');
  assert.equal(line['code'], 'outcome_unknown');
  assert.doesNotMatch(JSON.stringify(suite.service.log), /secret/);
});

test('every session may be ended, and the next requests are served', async () => {
  const id = await suite.api.create();
  for (let round = 0; round < 5; round++) {
    await suite.database.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'tasks %'`;
    await eventually(
      async () => (await suite.api.get(`/api/tasks/${id}`)).status === 200,
      'reads do not come back',
    );
    await eventually(async () => (await suite.api.post({ title: 'x' })).status === 201, 'writes');
    await eventually(async () => (await suite.api.get('/api/tasks')).status === 200, 'lists');
  }
});

/** Background work that fails: the log reports it once, a metric counts it, and it recovers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrape } from '../support/metrics.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('background');

test('texts that cannot be indexed are a warning once and a metric, requests go on, and it recovers', async () => {
  const { api, database, service } = suite;
  const told = (level: string) =>
    service.log.filter((line) => line.level === level && line['work'] === 'texts');
  const metrics = () => scrape(service.port);
  await eventually(
    async () => (await metrics()).values.get('background_failing{work="texts"}') === 0,
    'the indexer has not begun',
  );
  // Like a publication while the queue had no key: inserts succeed, and deletes fail.
  await database.sql.unsafe(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'not from here' USING ERRCODE = 'object_not_in_prerequisite_state'; END $$;
    CREATE TRIGGER refuse BEFORE DELETE ON tasks_unindexed FOR EACH STATEMENT EXECUTE FUNCTION refuse()`);
  const id = await api.create({ title: 'is found all the same' });
  await service.logged((line) => line.level === 'warn' && line['work'] === 'texts');
  await eventually(
    async () => ((await metrics()).values.get('background_failures_total{work="texts"}') ?? 0) > 2,
    'it is not tried again',
  );
  assert.equal(told('warn').length, 1);
  assert.equal((await metrics()).values.get('background_failing{work="texts"}'), 1);
  assert.equal((await metrics()).values.get('tasks_unindexed'), 1);
  const found = await api.get('/api/tasks?filter=title:FOUND');
  assert.deepEqual(
    found.body.data.map((task) => task.id),
    [id],
  );

  await database.sql`DROP TRIGGER refuse ON tasks_unindexed`;
  await service.logged((line) => line.level === 'info' && line['work'] === 'texts');
  await eventually(
    async () => (await metrics()).values.get('tasks_unindexed') === 0,
    'the queue does not empty',
  );
  const { values } = await metrics();
  assert.equal(values.get('background_failing{work="texts"}'), 0);
  assert.equal(values.get('tasks_unindexed_age_seconds'), 0);
  assert.equal(values.get('tables_intact'), 1);
  assert.equal(told('warn').length, 1);
});

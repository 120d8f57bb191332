import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStatementClock } from '../../src/base/statement-time.ts';
import { printFilter } from '../../src/contract/filter.ts';
import { type ListQuery, parseListQuery } from '../../src/contract/list-query.ts';
import { createSearchPlans, type TaskSample, walkedTerm } from '../../src/tasks/search-plans.ts';

const clock = createStatementClock();

function queryOf(raw: string): ListQuery {
  const parsed = parseListQuery(raw);
  assert.ok(parsed.ok, raw);
  return parsed.query;
}

/** Two hundred runs of twenty tasks, with the given matches in the runs from `first` to `last`. */
function sampleOf(each: number, first = 0, last = 199): TaskSample {
  const hits = Array.from({ length: 200 }, (_, run) => (run >= first && run <= last ? each : 0));
  return sampled({ hits, termHits: [hits.reduce((total, count) => total + count)] });
}

function sampled(part: Partial<TaskSample>): TaskSample {
  return { hits: Array<number>(200).fill(0), termHits: [0], tasks: 4000, walkedTasks: 0, ...part };
}

async function planOf(raw: string, sample: TaskSample, tasks = 10_000_000) {
  const plans = createSearchPlans(async () => sample);
  plans.observe(tasks);
  const { page, count } = await plans.planFor(queryOf(raw), clock);
  return `${page} ${count}`;
}

test('rare terms are gathered, frequent ones are walked to', async () => {
  assert.equal(await planOf('filter=report', sampleOf(0)), 'gather gather');
  assert.equal(await planOf('filter=report', sampleOf(1, 90, 91)), 'gather gather');
  const some = Array.from({ length: 200 }, (_, run) => (run % 10 === 0 ? 1 : 0));
  const twenty = sampled({ hits: some, termHits: [20] });
  assert.equal(await planOf('filter=report', twenty), 'walk walk');
  assert.equal(await planOf('filter=report', twenty, 1_000_000), 'walk gather');
  assert.equal(await planOf('filter=report', sampleOf(1)), 'walk walk');
  assert.equal(await planOf('filter=report', sampled({ hits: [0], tasks: 0 })), 'gather gather');
});

test('counted tasks are gathered by their rarest term, if that is rare enough', async () => {
  const both = 'filter=report,status!=done';
  assert.equal(await planOf(both, sampled({ termHits: [3000, 5] })), 'gather gather');
  assert.equal(await planOf(both, sampled({ termHits: [3000, 50] })), 'gather walk');
});

test('terms that need no look at texts are counted by their index', async () => {
  assert.equal(await planOf('filter=status!=done', sampleOf(10)), 'walk planner');
  assert.equal(await planOf('filter=id>7', sampleOf(0)), 'gather planner');
});

test('tasks that are all at the far end of the order are not walked to', async () => {
  const recent = sampleOf(20, 190);
  const since = 'filter=createdAt>=2026-01-01T00:00:00Z';
  assert.equal(await planOf(since, recent), 'gather planner');
  assert.equal(await planOf(`${since}&sort=createdAt`, recent), 'gather planner');
  assert.equal(await planOf(`${since}&sort=-id`, recent), 'walk planner');
  assert.equal(await planOf(`${since}&sort=-createdAt`, recent), 'walk planner');
  assert.equal(await planOf(`${since}&sort=title`, recent), 'walk planner');
});

test('tasks are gathered by the rarest of the terms that an index can find', async () => {
  const rarestOf = async (raw: string, part: Partial<TaskSample>) => {
    const plans = createSearchPlans(async () => sampled(part));
    plans.observe(1_000_000);
    const query = queryOf(raw);
    const { rarest } = await plans.planFor(query, clock);
    return rarest === undefined ? undefined : printFilter([query.terms[rarest]!]);
  };
  const two = 'filter=report,id>7';
  assert.equal(await rarestOf(two, { termHits: [5, 9] }), 'report');
  assert.equal(await rarestOf(two, { termHits: [9, 5] }), 'id>7');
  assert.equal(await rarestOf('filter=zq,report', { termHits: [1, 9] }), 'report');
  assert.equal(await rarestOf('filter=report,id!=7', { termHits: [9, 1] }), 'report');
  assert.equal(await rarestOf('filter=zq', { termHits: [1] }), undefined);
  // The sample knows the number of the walked term's tasks; of the others, a share of all.
  const walked = 'assignee_id=7&filter=report';
  assert.equal(await rarestOf(walked, { termHits: [4], walkedTasks: 999 }), 'assigneeID=7');
  assert.equal(await rarestOf(walked, { termHits: [4], walkedTasks: 1001 }), 'report');
});

test('small tables need no sample', async () => {
  const plans = createSearchPlans(() => assert.fail('not asked for'));
  plans.observe(19_999);
  assert.deepEqual(await plans.planFor(queryOf('filter=report'), clock), {
    page: 'gather',
    count: 'gather',
  });
  assert.deepEqual(await plans.planFor(queryOf('filter=id>7'), clock), {
    page: 'planner',
    count: 'planner',
  });
});

test('a sample is remembered for a while, and a failed one is not', async () => {
  let taken = 0;
  let time = 0;
  let broken = true;
  const plans = createSearchPlans(
    async () => {
      taken++;
      if (broken) throw new Error('away');
      return sampleOf(1);
    },
    () => time,
  );
  plans.observe(1_000_000);
  const ask = () => plans.planFor(queryOf('filter=report'), clock);
  await assert.rejects(ask(), /away/);
  broken = false;
  await ask();
  await plans.planFor(queryOf('filter=report&page=7'), clock);
  assert.equal(taken, 2);
  time = 6 * 60_000;
  await ask();
  assert.equal(taken, 3);
});

test('an exact assignee or status in the order of ids is walked by its own index', () => {
  assert.equal(walkedTerm(queryOf('status=done&assignee_id=7&filter=x'))?.field, 'assigneeID');
  assert.equal(walkedTerm(queryOf('sort=-id&status=done&filter=x'))?.field, 'status');
  assert.equal(walkedTerm(queryOf('filter=status!=done,assigneeID>7')), undefined);
  assert.equal(walkedTerm(queryOf('sort=title&status=done')), undefined);
});

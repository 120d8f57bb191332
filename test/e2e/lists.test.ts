import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Body, faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const ids: number[] = [];
const suite = useService('lists', {
  async prepare({ api }) {
    for (let place = 0; place < 45; place++) {
      ids.push(
        await api.create({
          title: place % 9 === 0 ? 'a + b & c' : `task ${place}`,
          status: place % 3 === 0 ? 'done' : 'pending',
          assigneeID: place % 5,
        }),
      );
    }
  },
});

async function list(query: string): Promise<{ ids: number[]; meta: Body['meta'] }> {
  const answer = await suite.api.get(`/api/tasks${query}`);
  assert.equal(answer.status, 200, answer.text);
  return { ids: answer.body.data.map((task) => task.id), meta: answer.body.meta };
}

test('the first twenty come without parameters, in the order of their ids', async () => {
  const first = {
    ids: ids.slice(0, 20),
    meta: { page: 1, per_page: 20, total: 45, total_pages: 3 },
  };
  for (const query of [
    '',
    '?',
    '?page=&per_page=',
    '?page=0&per_page=0',
    '?page=1',
    '?_=1729',
    '?&&',
  ]) {
    assert.deepEqual(await list(query), first, query);
  }
});

test('pages follow each other without a gap and without a repetition', async () => {
  const seen: number[] = [];
  for (let page = 1; page <= 7; page++) seen.push(...(await list(`?page=${page}&per_page=7`)).ids);
  assert.deepEqual(seen, ids);
});

test('a page beyond the end is empty and tells the true total', async () => {
  for (const page of [4, 1000, 2147483647]) {
    assert.deepEqual(await list(`?page=${page}`), {
      ids: [],
      meta: { page, per_page: 20, total: 45, total_pages: 3 },
    });
  }
});

test('per_page is at most 100', async () => {
  for (const asked of ['100', '101', '2147483647']) {
    assert.equal((await list(`?per_page=${asked}`)).meta.per_page, 100);
  }
});

test('the exact parameters are joined by AND', async () => {
  const done = ids.filter((_, place) => place % 3 === 0);
  assert.deepEqual((await list('?status=done')).ids, done);
  assert.equal((await list('?status=done')).meta.total, done.length);
  assert.equal((await list('?status=canceled')).meta.total, 0);
  const odd = ids.filter((_, place) => place % 9 === 0);
  for (const title of ['a%20%2B%20b%20%26%20c', 'a+%2B+b+%26+c']) {
    assert.deepEqual((await list(`?title=${title}`)).ids, odd);
  }
  const third = ids.filter((_, place) => place % 5 === 3);
  assert.deepEqual((await list('?assignee_id=3')).ids, third);
  assert.deepEqual((await list('?assigneeID=3')).ids, third);
  const both = ids.filter((_, place) => place % 3 === 0 && place % 5 === 0 && place % 9 === 0);
  const query = '?status=done&assignee_id=0&title=a+%2B+b+%26+c';
  assert.deepEqual((await list(query)).ids, both);
  assert.equal((await list(query)).meta.total, both.length);
  assert.deepEqual((await list('?title=')).ids, []);
});

test('a list shows a write that was acknowledged before it was asked for', async () => {
  const id = await suite.api.create({ title: 'fresh' });
  assert.deepEqual((await list('?title=fresh')).ids, [id]);
  assert.equal((await list('')).meta.total, 46);
  await suite.api.put(id, { title: 'stale' });
  assert.deepEqual((await list('?title=fresh')).ids, []);
  await suite.api.remove(id);
  assert.equal((await list('')).meta.total, 45);
});

test('totals are exact after somebody else wrote', async () => {
  await suite.database.sql`INSERT INTO tasks (title) SELECT 'bulk' FROM generate_series(1, 1000)`;
  assert.equal((await list('')).meta.total, 1045);
  await suite.database.sql`DELETE FROM tasks WHERE title = 'bulk'`;
  assert.equal((await list('')).meta.total, 45);
});

const refused: readonly (readonly [query: string, faults: readonly string[]])[] = [
  ['page=-1', ['invalid page']],
  ['page=1.5', ['invalid page']],
  ['page=x', ['invalid page']],
  ['page=1e2', ['invalid page']],
  ['page=2147483648', ['invalid page']],
  ['page=1&page=2', ['invalid page']],
  ['per_page=-1', ['invalid per_page']],
  ['per_page=ten', ['invalid per_page']],
  ['per_page=2147483648', ['invalid per_page']],
  ['per_page=1&per_page=1', ['invalid per_page']],
  ['status=open', ['invalid status']],
  ['status=', ['invalid status']],
  ['assignee_id=-1', ['invalid assignee_id']],
  ['assignee_id=9007199254740992', ['invalid assignee_id']],
  ['assignee_id=1&assigneeID=1', ['invalid assigneeID']],
  ['title=%', ['invalid title']],
  ['title=%zz', ['invalid title']],
  ['title=%ff', ['invalid title']],
  ['title=%00', ['invalid title']],
  ['%ff=1', ['invalid']],
  ['limit=10', ['unknown_parameter limit']],
  ['page=x&limit=1&status=y', ['invalid page', 'invalid status', 'unknown_parameter limit']],
];

for (const [query, faults] of refused) {
  test(`the query ${query} is refused`, async () => {
    const answer = await suite.api.get(`/api/tasks?${query}`);
    assert.deepEqual([answer.status, faultsOf(answer)], [400, faults]);
  });
}

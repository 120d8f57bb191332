/** The filter, the sort order, the cursor and the links of a list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf } from '../support/api.ts';
import { useService } from '../support/suite.ts';

interface Seeded {
  readonly title: string;
  readonly description?: string;
  readonly status?: string;
  readonly assigneeID?: number;
}

/** The tests below name their expected tasks by these letters. */
const seeded: Readonly<Record<string, Seeded>> = {
  a: { title: 'Quarterly report', status: 'pending', assigneeID: 7 },
  b: { title: 'invoice', description: 'see the REPORT', status: 'in_progress' },
  c: { title: '100% done?', status: 'completed', assigneeID: 8 },
  d: { title: 'snake_case', status: 'done', assigneeID: 7 },
  e: { title: 'back\\slash "quoted"', status: 'canceled' },
  f: { title: 'pending', status: 'completed', assigneeID: 12 },
  g: { title: 'Ärger, AND more', description: 'émile', status: 'pending' },
  h: { title: 'report', status: 'in_progress', assigneeID: 3 },
};

const ids: Record<string, number> = {};
const suite = useService('filters', {
  async prepare({ api }) {
    for (const [letter, task] of Object.entries(seeded))
      ids[letter] = await api.create({ ...task });
  },
});

async function letters(query: string): Promise<string> {
  const answer = await suite.api.get(`/api/tasks?${query}`);
  assert.equal(answer.status, 200, `${query}: ${answer.text}`);
  const found = answer.body.data.map(({ id }) => Object.keys(ids).find((key) => ids[key] === id));
  assert.equal(answer.body.meta.total, found.length, query);
  return found.join('');
}

const accepted: readonly (readonly [filter: string, tasks: string])[] = [
  // The examples of the contract.
  ['pending', 'afg'],
  ['status=pending', 'ag'],
  ['status:pending|in_progress,title:report', 'ah'],
  ['createdAt>=2026-01-01T00:00:00Z AND assigneeID=7', 'ad'],
  // Every operator of every kind of field.
  ['title=report', 'h'],
  ['title=Report', ''],
  ['title!=report', 'abcdefg'],
  ['title:REPORT', 'ah'],
  ['description:report', 'b'],
  ['description="see the REPORT"', 'b'],
  ['description=""', 'acdefh'],
  ['description!=""', 'bg'],
  ['status!=pending', 'bcdefh'],
  ['status:done|canceled', 'de'],
  ['status:done', 'd'],
  ['assigneeID=0', 'beg'],
  ['assignee_id=7', 'ad'],
  ['assigneeID!=0', 'acdfh'],
  ['assigneeID<7', 'begh'],
  ['assigneeID<=7', 'abdegh'],
  ['assigneeID>7', 'cf'],
  ['assigneeID>=8', 'cf'],
  ['assigneeID:3|12', 'fh'],
  ['createdAt>2001-01-01T00:00:00Z', 'abcdefgh'],
  ['updatedAt<2001-01-01T00:00:00.000Z', ''],
  ['updatedAt>=2001-01-01T00:00:00+01:00', 'abcdefgh'],
  ['createdAt!=2001-01-01T00:00:00Z', 'abcdefgh'],
  // Bare and quoted texts, in any field.
  ['report', 'abh'],
  ['quarterly REPORT', 'a'],
  ['"quarterly report"', 'a'],
  // Two by assignee and one by id, because the database is new.
  ['7', 'adg'],
  ['12', 'f'],
  ['done', 'cd'],
  ['ÄRGER', 'g'],
  ['Émile', 'g'],
  // Characters with a meaning in SQL or in the filter are literal.
  ['title:%', 'c'],
  ['title:_', 'd'],
  ['title:\\', 'e'],
  ['title:"\\""', 'e'],
  ['title:"\\\\slash"', 'e'],
  ['"Ärger, AND more"', 'g'],
  ["title:' OR 1=1", ''],
  ['title:nowhere', ''],
  // Separators and spaces.
  ['status=pending,assigneeID=7', 'a'],
  ['status = pending AND assigneeID = 7', 'a'],
  ['  status=pending  ,  assigneeID=7  ', 'a'],
  ['report,report,report', 'abh'],
  ['title:report,description:report', ''],
  ['', 'abcdefgh'],
  ['   ', 'abcdefgh'],
];

for (const [filter, tasks] of accepted) {
  test(`the filter ${filter} finds ${tasks === '' ? 'nothing' : tasks}`, async () => {
    assert.equal(await letters(`filter=${encodeURIComponent(filter)}`), tasks);
    const newest = [...tasks].reverse().join('');
    assert.equal(await letters(`sort=-id&filter=${encodeURIComponent(filter)}`), newest);
  });
}

test('a filter finds a task by its number', async () => {
  assert.equal(await letters(`filter=id=${ids['c']}`), 'c');
  assert.equal(await letters(`filter=id:${ids['c']}|${ids['e']}`), 'ce');
  assert.equal(await letters(`filter=id>${ids['f']}`), 'gh');
});

test('the exact parameters and the filter are joined by AND', async () => {
  assert.equal(await letters('status=in_progress&filter=report'), 'bh');
  assert.equal(await letters('status=in_progress&filter=report&assignee_id=3'), 'h');
  assert.equal(await letters('title=report&filter=title:report'), 'h');
  assert.equal(await letters('title=report&filter=title=invoice'), '');
});

/** Each with the faulty token and its position, in characters from 1. */
const malformed: readonly (readonly [filter: string, token: string, position: number])[] = [
  ['status=open', 'open', 8],
  ['status:pending|open', 'open', 8],
  ['status:', 'the end', 8],
  ['status>pending', '>', 7],
  ['title<x', '<', 6],
  ['description>=x', '>=', 12],
  ['createdAt:2026-01-01T00:00:00Z', ':', 10],
  ['createdAt>=yesterday', 'yesterday', 12],
  ['createdAt>=2026-02-30T00:00:00Z', '2026-02-30T00:00:00Z', 12],
  ['updatedAt=2026-01-01', '2026-01-01', 11],
  ['assigneeID=x', 'x', 12],
  ['assigneeID=-1', '-1', 12],
  ['assigneeID=9007199254740992', '9007199254740992', 12],
  ['assigneeID:1|two', 'two', 12],
  ['owner=7', 'owner', 1],
  ['report,owner=7', 'owner', 8],
  ['Title=x', 'Title', 1],
  ['😀,status=open', 'open', 10],
  ['status=pending AND', 'pending AND', 8],
  ['status=pending,', 'the end', 16],
  [',status=pending', ',', 1],
  ['a,,b', ',', 3],
  ['AND a', 'AND', 1],
  ['title:""', '', 7],
  ['""', '', 1],
  ['title:"open', '"', 7],
  ['title:"a\\n"', '\\n', 9],
  ['title:"a" b', 'b', 11],
  ['title:a"b', '"', 8],
];

for (const [filter, token, position] of malformed) {
  test(`the filter ${filter} is refused at position ${position}`, async () => {
    const answer = await suite.api.get(`/api/tasks?filter=${encodeURIComponent(filter)}`);
    assert.deepEqual([answer.status, faultsOf(answer)], [400, ['invalid filter']], answer.text);
    const { message } = answer.body.errors[0]!;
    assert.ok(message.startsWith(`${JSON.stringify(token)} at position ${position}: `), message);
  });
}

test('a filter has at most 8 terms and 512 bytes', async () => {
  const terms = (count: number) => Array.from({ length: count }, (_, place) => `t${place}`).join();
  assert.equal(await letters(`filter=${terms(8)}`), '');
  for (const filter of [terms(9), 'x'.repeat(513), 'ä'.repeat(257)]) {
    const answer = await suite.api.get(`/api/tasks?filter=${encodeURIComponent(filter)}`);
    assert.deepEqual([answer.status, faultsOf(answer)], [400, ['invalid filter']]);
    assert.match(answer.body.errors[0]!.message, /at most (8 terms|512 bytes)/);
  }
  assert.equal(await letters(`filter=${'x'.repeat(512)}`), '');
});

const orders: readonly (readonly [sort: string, tasks: string])[] = [
  ['', 'abcdefgh'],
  ['id', 'abcdefgh'],
  ['-id', 'hgfedcba'],
  ['title', 'caebfhdg'],
  ['-title', 'gdhfbeac'],
  ['status', 'ecfdbhag'],
  ['-status', 'gahbdfce'],
  ['assigneeID', 'beghadcf'],
  ['-assigneeID', 'fcdahgeb'],
];

for (const [sort, tasks] of orders) {
  test(`sort=${sort} orders by it, then by id`, async () => {
    assert.equal(await letters(`sort=${sort}`), tasks);
  });
}

test('the times sort too, either way', async () => {
  await suite.api.put(ids['c']!, { assigneeID: 8 });
  const byTime = async (sort: string, field: 'createdAt' | 'updatedAt') => {
    const { body } = await suite.api.get(`/api/tasks?sort=${sort}`);
    return body.data.map((task) => `${task[field]} ${String(task.id).padStart(9)}`);
  };
  for (const field of ['createdAt', 'updatedAt'] as const) {
    const rising = await byTime(field, field);
    assert.deepEqual(rising, [...rising].sort());
    assert.deepEqual(await byTime(`-${field}`, field), rising.reverse());
  }
  assert.match(await letters('sort=updatedAt'), /c$/);
});

for (const sort of ['name', 'assignee_id', 'id,title', '+id', 'ID', '--id']) {
  test(`sort=${sort} is refused`, async () => {
    const answer = await suite.api.get(`/api/tasks?sort=${encodeURIComponent(sort)}`);
    assert.deepEqual([answer.status, faultsOf(answer)], [400, ['invalid sort']]);
  });
}

/** Finds a link by its relation (RFC 8288). */
function linkOf(header: unknown, relation: string): string | undefined {
  return new RegExp(`<([^>]*)>; rel="${relation}"`).exec(String(header))?.[1];
}

test('the links lead through every page and back, with filter and sort order', async () => {
  const seen: number[] = [];
  let url: string | undefined = '/api/tasks?per_page=3&sort=-title&filter=status!%3Ddone';
  const visited: string[] = [];
  while (url !== undefined) {
    const { headers, body } = await suite.api.get(url);
    seen.push(...body.data.map(({ id }) => id));
    visited.push(url);
    if (visited.length === 2) {
      const back = linkOf(headers['link'], 'prev')!;
      const { body: first } = await suite.api.get(back);
      assert.deepEqual(
        first.data.map(({ id }) => id),
        seen.slice(0, 3),
      );
      assert.equal(linkOf(headers['link'], 'first'), back);
    }
    const next = linkOf(headers['link'], 'next');
    if (next === undefined) assert.equal(linkOf(headers['link'], 'last'), url);
    url = next;
  }
  assert.equal(visited.length, 3);
  assert.deepEqual(
    seen,
    [...'ghfbeac'].map((letter) => ids[letter]),
  );
});

test('a cursor walks the whole list, by its links or by meta.next_cursor', async () => {
  for (const sort of ['id', '-id', 'title', '-status', 'assigneeID', '-createdAt', 'updatedAt']) {
    const { body: whole } = await suite.api.get(`/api/tasks?sort=${sort}`);
    const seen: number[] = [];
    let cursor: string | null | undefined = '';
    while (typeof cursor === 'string') {
      const { body, headers } = await suite.api.get(
        `/api/tasks?sort=${sort}&per_page=3&cursor=${cursor}`,
      );
      assert.equal(body.meta.page, null);
      assert.equal(body.meta.total, 8);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.meta.next_cursor;
      const next = linkOf(headers['link'], 'next');
      assert.equal(next?.includes(`cursor=${cursor}&`), cursor === null ? undefined : true);
    }
    assert.equal(cursor, null);
    assert.deepEqual(
      seen,
      whole.data.map(({ id }) => id),
      sort,
    );
  }
});

test('a cursor is refused beside page, changed, and in another list', async () => {
  const { body } = await suite.api.get('/api/tasks?cursor=&per_page=3');
  const cursor = body.meta.next_cursor!;
  for (const [query, fault] of [
    [`cursor=${cursor}&page=1`, 'invalid page'],
    ['cursor=&page=2', 'invalid page'],
    [`cursor=${cursor}&sort=title`, 'invalid cursor'],
    [`cursor=${cursor}&filter=x`, 'invalid cursor'],
    [`cursor=${cursor.slice(1)}`, 'invalid cursor'],
    ['cursor=x', 'invalid cursor'],
    ['cursor=%00', 'invalid cursor'],
  ]) {
    const answer = await suite.api.get(`/api/tasks?${query}`);
    assert.deepEqual([answer.status, faultsOf(answer)], [400, [fault]], query);
  }
});

test('a list has a tag that changes with the data and differs between queries', async () => {
  const tag = async (query: string) => (await suite.api.get(`/api/tasks?${query}`)).headers.etag!;
  const before = await tag('');
  assert.match(before, /^"\d+-[0-9a-z]+"$/);
  assert.equal(await tag('page=1&sort=id'), before);
  assert.notEqual(await tag('page=2'), before);
  await suite.api.put(ids['a']!, { assigneeID: 7 });
  assert.notEqual(await tag(''), before);
});

test('a list that is too long to count says so, and goes on', async () => {
  await suite.database.sql`
    INSERT INTO tasks (title, assignee_id)
    SELECT 'crowd ' || n, 99 FROM generate_series(1, 30000) AS n`;
  // The service learns the number of tasks from lists that it reads.
  await suite.api.get('/api/tasks');
  const text = await suite.api.get('/api/tasks?filter=title:crowd&per_page=100');
  assert.deepEqual(text.body.meta, {
    page: 1,
    per_page: 100,
    total: 1000,
    total_pages: 10,
    total_exact: false,
  });
  assert.equal(linkOf(text.headers['link'], 'last'), undefined);
  const beyond = await suite.api.get('/api/tasks?filter=title:crowd&per_page=100&page=300');
  assert.equal(beyond.body.data.at(-1)?.title, 'crowd 30000');
  assert.equal(
    linkOf(beyond.headers['link'], 'next'),
    '/api/tasks?page=301&per_page=100&filter=title:crowd',
  );
  const assignee = await suite.api.get('/api/tasks?assignee_id=99');
  assert.deepEqual([assignee.body.meta.total, assignee.body.meta.total_exact], [5000, false]);
  const all = await suite.api.get('/api/tasks?sort=-id&page=1501');
  assert.deepEqual(
    [all.body.meta.total, all.body.meta.total_exact, all.body.data.length],
    [30_008, undefined, 8],
  );
  assert.deepEqual(
    all.body.data.map(({ id }) => id),
    [...'hgfedcba'].map((letter) => ids[letter]),
  );
});

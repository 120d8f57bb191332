import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCursor, sortFields } from '../../src/contract/cursor.ts';
import {
  type ListQuery,
  listKindOf,
  parseListQuery,
  scopeOf,
} from '../../src/contract/list-query.ts';
import { statuses } from '../../src/contract/task.ts';

function accepted(raw: string): ListQuery {
  const result = parseListQuery(raw);
  assert.ok(result.ok, `${raw}: ${JSON.stringify(result)}`);
  return result.query;
}

function refused(raw: string): { code: string; field: string | null }[] {
  const result = parseListQuery(raw);
  assert.ok(!result.ok, raw);
  return result.faults.map(({ code, field }) => ({ code, field }));
}

const byId = { field: 'id', descending: false };
const defaults = { page: 1, perPage: 20, order: byId, terms: [] };

test('nothing, empty values and zeros give the defaults', () => {
  for (const raw of [
    '',
    '&',
    'page=&per_page=',
    'page=0&per_page=0',
    'page&per_page',
    'sort=&filter=',
    'filter=+%20',
  ]) {
    assert.deepEqual(accepted(raw), defaults, raw);
  }
});

test('per_page is clamped and page is not', () => {
  assert.deepEqual(accepted('per_page=101&page=2147483647'), {
    ...defaults,
    page: 2147483647,
    perPage: 100,
  });
});

test('pages that are no numbers in bounds are refused', () => {
  for (const value of [
    '-1',
    '1.5',
    '1e3',
    'x',
    '2147483648',
    '99999999999',
    '%31%00',
    '+1',
    '0x1',
  ]) {
    assert.deepEqual(refused(`page=${value}`), [{ code: 'invalid', field: 'page' }], value);
    assert.deepEqual(refused(`per_page=${value}`), [{ code: 'invalid', field: 'per_page' }], value);
  }
});

test('exact filters are decoded strictly', () => {
  const termOf = (raw: string) => accepted(raw).terms;
  const title = (text: string) => [{ field: 'title', operator: '=', text }];
  assert.deepEqual(termOf('title=a+b%2Bc%20%F0%9F%98%80'), title('a b+c 😀'));
  assert.deepEqual(termOf('title='), title(''));
  const assignee = (id: number) => [{ field: 'assigneeID', operator: '=', numbers: [id] }];
  assert.deepEqual(termOf('assignee_id=7'), assignee(7));
  assert.deepEqual(termOf('assigneeID=9007199254740991'), assignee(Number.MAX_SAFE_INTEGER));
  for (const status of statuses) {
    const term = { field: 'status', operator: '=', statuses: [status] };
    assert.deepEqual(termOf(`status=${status}`), [term]);
  }
});

test('queries that ask for the same are the same', () => {
  for (const raw of [
    'status=pending&assignee_id=7',
    'assigneeID=7&status=pending&page=1&_=5',
    'filter=status=pending,assignee_id=7',
    'filter=assigneeID%20=%207%20AND%20status%20=%20%22pending%22&per_page=20',
    'filter=status=pending,assigneeID=7&status=pending&sort=id',
  ]) {
    assert.deepEqual(accepted(raw), accepted('filter=status=pending&assigneeID=7'), raw);
  }
});

test('sort takes each field, either way, and nothing else', () => {
  for (const field of sortFields) {
    assert.deepEqual(accepted(`sort=${field}`).order, { field, descending: false });
    assert.deepEqual(accepted(`sort=-${field}`).order, { field, descending: true });
  }
  for (const value of ['assignee_id', 'Title', '--id', '+id', 'id,title', 'created_at', '-']) {
    assert.deepEqual(refused(`sort=${value}`), [{ code: 'invalid', field: 'sort' }], value);
  }
});

test('a cursor continues the list that it came from, and no other', () => {
  assert.deepEqual(accepted('cursor=').cursor, { after: null });
  const rest = 'sort=-title&filter=report';
  const position = { id: 7, value: 'a "title"' };
  const cursor = encodeCursor(position, scopeOf(accepted(rest)));
  assert.deepEqual(accepted(`${rest}&cursor=${cursor}`).cursor, { after: position });
  assert.deepEqual(accepted(`per_page=3&${rest}&cursor=${cursor}`).cursor, { after: position });
  for (const raw of [
    `sort=title&filter=report&cursor=${cursor}`,
    `sort=-title&cursor=${cursor}`,
    `${rest}&cursor=${cursor}x`,
    `${rest}&cursor=x`,
    `${rest}&cursor=${Buffer.from('[1,2,3,4]').toString('base64url')}`,
    `${rest}&cursor=%2B`,
  ]) {
    assert.deepEqual(refused(raw), [{ code: 'invalid', field: 'cursor' }], raw);
  }
  for (const page of ['1', '0', '7']) {
    assert.deepEqual(refused(`cursor=&page=${page}`), [{ code: 'invalid', field: 'page' }]);
  }
  accepted('cursor=&page=');
});

test('only what walks an index for a page is no search', () => {
  const kindOf = (raw: string) => listKindOf(accepted(raw));
  for (const raw of [
    '',
    'page=2147483647',
    'sort=-id&page=999999&status=done',
    'sort=title',
    'sort=title&cursor=',
    'assignee_id=7&status=done',
  ]) {
    assert.equal(kindOf(raw), 'list', raw);
  }
  for (const raw of [
    'sort=title&page=101',
    'sort=title&status=done',
    'assignee_id=7&page=101',
    'filter=report',
    'title=x',
    'filter=status!=done',
    'filter=status:done|pending',
    'filter=id>7',
  ]) {
    assert.equal(kindOf(raw), 'search', raw);
  }
});

test('malformed escapes, bytes that are not UTF-8 and U+0000 are refused', () => {
  for (const value of ['%', '%4', '%zz', '%ff', '%c3%28', '%ed%a0%80', '%00']) {
    assert.deepEqual(refused(`title=${value}`), [{ code: 'invalid', field: 'title' }], value);
  }
  assert.deepEqual(refused('%ff=1'), [{ code: 'invalid', field: null }]);
});

test('a value outside its type is refused', () => {
  for (const value of ['', 'Pending', 'pending ', 'x']) {
    assert.deepEqual(refused(`status=${value}`), [{ code: 'invalid', field: 'status' }], value);
  }
  for (const value of ['', '-1', '01', '1.0', '9007199254740992', 'x']) {
    assert.deepEqual(refused(`assignee_id=${value}`), [{ code: 'invalid', field: 'assignee_id' }]);
  }
});

test('a parameter given twice is refused, also under its alias', () => {
  assert.deepEqual(refused('page=1&page=1'), [{ code: 'invalid', field: 'page' }]);
  assert.deepEqual(refused('assignee_id=1&assigneeID=1'), [
    { code: 'invalid', field: 'assigneeID' },
  ]);
});

test('unknown parameters are refused, those that begin with _ are tolerated', () => {
  assert.deepEqual(refused('limit=3'), [{ code: 'unknown_parameter', field: 'limit' }]);
  for (const name of ['constructor', '__proto_', 'toString', 'Page']) {
    if (name.startsWith('_')) accepted(`${name}=1`);
    else assert.equal(refused(`${name}=1`)[0]?.code, 'unknown_parameter', name);
  }
  assert.deepEqual(accepted('_=1729&_trace=x&_trace=y'), defaults);
});

test('all faults are reported together', () => {
  assert.equal(refused('page=x&per_page=y&status=z&foo=1').length, 4);
});

test('no input throws, and what is accepted is within its bounds', () => {
  const names = ['page', 'per_page', 'sort', 'status', 'title', 'assignee_id', 'filter', 'cursor'];
  const values = [
    '',
    '0',
    '1',
    '7',
    '101',
    '-1',
    '9007199254740993',
    'done',
    '-title',
    'title:x',
    '%41',
    '%ff',
    '%',
    '+',
  ];
  const pair = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...values));
  const noise = fc.oneof(
    fc.array(pair, { maxLength: 4 }).map((pairs) => pairs.map((one) => one.join('=')).join('&')),
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a-z_%=&+0-9]*$/),
  );
  fc.assert(
    fc.property(noise, (raw) => {
      const result = parseListQuery(raw);
      if (!result.ok) return assert.ok(result.faults.every(({ code }) => code !== undefined));
      const { page, perPage, order, cursor } = result.query;
      assert.ok(page >= 1 && (cursor === undefined || page === 1), raw);
      assert.ok(perPage >= 1 && perPage <= 100, raw);
      assert.ok(sortFields.includes(order.field), raw);
    }),
    { numRuns: 2000 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ListQuery, parseListQuery } from '../../src/contract/list-query.ts';
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

test('nothing, empty values and zeros give the defaults', () => {
  for (const raw of ['', '&', 'page=&per_page=', 'page=0&per_page=0', 'page&per_page']) {
    assert.deepEqual(accepted(raw), { page: 1, perPage: 20 }, raw);
  }
});

test('per_page is clamped and page is not', () => {
  assert.deepEqual(accepted('per_page=101&page=2147483647'), { page: 2147483647, perPage: 100 });
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
  assert.equal(accepted('title=a+b%2Bc%20%F0%9F%98%80').title, 'a b+c 😀');
  assert.equal(accepted('title=').title, '');
  assert.equal(accepted('assignee_id=7').assigneeId, 7);
  assert.equal(accepted('assigneeID=9007199254740991').assigneeId, Number.MAX_SAFE_INTEGER);
  for (const status of statuses) assert.equal(accepted(`status=${status}`).status, status);
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
  assert.deepEqual(accepted('_=1729&_trace=x&_trace=y'), { page: 1, perPage: 20 });
});

test('all faults are reported together', () => {
  assert.equal(refused('page=x&per_page=y&status=z&foo=1').length, 4);
});

test('no input throws', () => {
  const noise = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[a-z_%=&+0-9]*$/),
  );
  fc.assert(
    fc.property(noise, (raw) => {
      parseListQuery(raw);
    }),
    { numRuns: 2000 },
  );
});

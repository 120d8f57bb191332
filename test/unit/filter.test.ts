import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FilterTerm, parseFilter, printFilter } from '../../src/contract/filter.ts';
import { idMax } from '../../src/contract/limits.ts';
import { statuses } from '../../src/contract/task.ts';
import { readTime } from '../../src/contract/values.ts';

function accepted(filter: string): readonly FilterTerm[] {
  const result = parseFilter(filter);
  assert.ok(result.ok, `${filter}: ${JSON.stringify(result)}`);
  return result.terms;
}

function refused(filter: string): string {
  const result = parseFilter(filter);
  assert.ok(!result.ok, filter);
  return result.message;
}

test('the examples of the contract mean what it says', () => {
  assert.deepEqual(accepted('pending'), [{ field: 'any', text: 'pending' }]);
  assert.deepEqual(accepted('status=pending'), [
    { field: 'status', operator: '=', statuses: ['pending'] },
  ]);
  assert.deepEqual(accepted('status:pending|in_progress,title:report'), [
    { field: 'status', operator: 'in', statuses: ['pending', 'in_progress'] },
    { field: 'title', operator: 'contains', text: 'report' },
  ]);
  assert.deepEqual(accepted('createdAt>=2026-01-01T00:00:00Z AND assigneeID=7'), [
    { field: 'createdAt', operator: '>=', time: '2026-01-01T00:00:00Z' },
    { field: 'assigneeID', operator: '=', numbers: [7] },
  ]);
});

test('a bare value goes up to the next separator, spaces included', () => {
  assert.deepEqual(accepted('title = a b  c , "x y" AND description!= z '), [
    { field: 'title', operator: '=', text: 'a b  c' },
    { field: 'any', text: 'x y' },
    { field: 'description', operator: '!=', text: 'z' },
  ]);
  assert.deepEqual(accepted('fish AND chips'), [
    { field: 'any', text: 'fish' },
    { field: 'any', text: 'chips' },
  ]);
  assert.deepEqual(accepted('BRANDY AND SAND'), [
    { field: 'any', text: 'BRANDY' },
    { field: 'any', text: 'SAND' },
  ]);
  assert.deepEqual(accepted('fish and chips'), [{ field: 'any', text: 'fish and chips' }]);
});

test('a quotation holds separators, quotes and operators', () => {
  assert.deepEqual(accepted(String.raw`title:"a, b AND \"c\" \\ d=e"`), [
    { field: 'title', operator: 'contains', text: String.raw`a, b AND "c" \ d=e` },
  ]);
  assert.deepEqual(accepted('description=""'), [{ field: 'description', operator: '=', text: '' }]);
});

test('nothing is no filter', () => {
  for (const filter of ['', ' ', '\t ']) assert.deepEqual(accepted(filter), []);
});

test('the alias of the assignee is the field itself', () => {
  assert.deepEqual(accepted('assignee_id:1|2'), accepted('assigneeID:1|2'));
});

const refusals: readonly (readonly [filter: string, token: string, position: number])[] = [
  [',', ',', 1],
  ['status=done,', 'the end', 13],
  ['a,,b', ',', 3],
  ['AND a', 'AND', 1],
  ['a AND AND b', 'AND', 7],
  ['title=', 'the end', 7],
  ['title= ,a', ',', 8],
  ['foo=1', 'foo', 1],
  ['a,titel:x', 'titel', 3],
  ['constructor=1', 'constructor', 1],
  ['title<a', '<', 6],
  ['status>done', '>', 7],
  ['status=Done', 'Done', 8],
  ['status:done|open', 'open', 8],
  ['status=pending|done', 'pending|done', 8],
  ['id=x', 'x', 4],
  ['id=-1', '-1', 4],
  ['id=01', '01', 4],
  ['id>9007199254740992', '9007199254740992', 4],
  ['assigneeID:1|', '', 12],
  ['createdAt:2026-01-01T00:00:00Z', ':', 10],
  ['createdAt>2026-02-30T00:00:00Z', '2026-02-30T00:00:00Z', 11],
  ['createdAt>2026-01-01', '2026-01-01', 11],
  ['createdAt>2026-01-01T00:00:60Z', '2026-01-01T00:00:60Z', 11],
  ['updatedAt=2026-01-01T24:00:00Z', '2026-01-01T24:00:00Z', 11],
  ['title:"a', '"', 7],
  ['title:"a\\n"', '\\n', 9],
  ['title:"a" b', 'b', 11],
  ['title:a"b', '"', 8],
  ['title:""', '', 7],
  ['a,""', '', 3],
  ['😀😀,foo=1', 'foo', 4],
];

for (const [filter, token, position] of refusals) {
  test(`the error of ${JSON.stringify(filter)} names its token and position`, () => {
    const expected = `${JSON.stringify(token)} at position ${position}: `;
    assert.equal(refused(filter).slice(0, expected.length), expected);
  });
}

test('size, terms and characters are bounded', () => {
  assert.equal(accepted('a,b,c,d,e,f,g,h').length, 8);
  assert.match(refused('a,b,c,d,e,f,g,h,i'), /at most 8 terms/);
  assert.equal(accepted('é'.repeat(256)).length, 1);
  assert.match(refused(`${'é'.repeat(256)}a`), /at most 512 bytes/);
  assert.match(refused('a\0'), /U\+0000/);
});

const text = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 20 })
  .filter((value) => !value.includes('\0'));
const number = fc.integer({ min: 0, max: idMax });
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const term = fc
  .oneof(
    fc.record({ field: fc.constant('any'), text }),
    fc.record({
      field: fc.constantFrom('title', 'description'),
      operator: fc.constantFrom('=', '!=', 'contains'),
      text,
    }),
    fc.record({
      field: fc.constant('status'),
      operator: fc.constant('in'),
      statuses: fc.array(fc.constantFrom(...statuses), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      field: fc.constantFrom('id', 'assigneeID'),
      operator: comparison,
      numbers: fc.tuple(number),
    }),
    fc.record({
      field: fc.constantFrom('createdAt', 'updatedAt'),
      operator: comparison,
      time: fc
        .date({
          min: new Date('0001-01-01T00:00:00Z'),
          max: new Date('9999-12-31T00:00:00Z'),
          noInvalidDate: true,
        })
        .map((date) => readTime(date.toISOString())!),
    }),
  )
  .map((made) => ({ ...made })) as fc.Arbitrary<FilterTerm>;

test('a printed filter is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 8 }), (terms) => {
      const printed = printFilter(terms);
      fc.pre(Buffer.byteLength(printed) <= 512);
      assert.deepEqual(accepted(printed), terms);
    }),
    { numRuns: 1000 },
  );
});

test('no input throws, and what is accepted prints to the same terms', () => {
  const pieces = [
    'title',
    'status',
    '=',
    ':',
    '<=',
    '"',
    '\\',
    ',',
    ' AND ',
    ' ',
    'done',
    '7',
    '|',
  ];
  const noise = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(noise, (filter) => {
      const result = parseFilter(filter);
      if (result.ok) assert.deepEqual(accepted(printFilter(result.terms)), result.terms);
      else assert.notEqual(result.message, '');
    }),
    { numRuns: 5000 },
  );
});

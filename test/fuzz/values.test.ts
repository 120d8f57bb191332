/**
 * The extremes of each type, values beyond and between them, through every path into a statement.
 * None fails, and filters find what a model finds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCursor, sortFields } from '../../src/contract/cursor.ts';
import { filterMaxBytes, idMax } from '../../src/contract/limits.ts';
import { parseListQuery, scopeOf } from '../../src/contract/list-query.ts';
import { statuses } from '../../src/contract/values.ts';
import { createApi } from '../support/api.ts';
import { batchSize, fuzz } from '../support/fuzz.ts';
import { useService } from '../support/suite.ts';
import { timeByModel, unitsPerMs } from '../support/time-model.ts';

interface Row {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly assignee: number;
  readonly created: string;
}

const createdTimes = [
  '0001-01-01T00:00:00.000Z',
  '0001-01-01T00:00:00.001Z',
  '1582-10-10T00:00:00.000Z',
  '1969-12-31T23:59:59.999Z',
  '2016-12-31T23:59:59.999Z',
  '2017-01-01T00:00:00.000Z',
  '2024-02-29T12:00:00.120Z',
  '9999-12-31T23:59:59.998Z',
  '9999-12-31T23:59:59.999Z',
];
const titles = [
  '100%',
  'snow_man',
  'back\\slash',
  '"quoted"',
  "it's",
  '\u0001\u001f',
  '😀\uffff',
  '{a,b}',
  'NULL',
];
/** They fit on one page, with the tasks of other tests. */
const rows: readonly Row[] = Array.from({ length: 45 }, (_, place) => ({
  id: place === 0 ? idMax : place,
  title: titles[place % titles.length]!,
  description: titles[(place + Math.floor(place / titles.length)) % titles.length]!,
  assignee: [0, 1, 2 ** 31, idMax - 1, idMax][place % 5]!,
  created: createdTimes[Math.floor(place / 5)]!,
}));

const suite = useService('fuzz_values', {
  async prepare({ database }) {
    for (const { id, title, description, assignee, created } of rows) {
      await database.sql`
        INSERT INTO tasks (id, title, description, assignee_id, created_at) OVERRIDING SYSTEM VALUE
        VALUES (${id}, ${title}, ${description}, ${assignee}, ${created})`;
    }
    await database.sql`SELECT setval(pg_get_serial_sequence('tasks', 'id'), 1000)`;
  },
});

type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** `found`: whether the row matches; `null`: rejected with 400; `undefined`: anything but 500. */
interface Throw {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly found?: ((row: Row) => boolean) | null | undefined;
}

const operator = fc.constantFrom<Operator>('=', '!=', '<', '<=', '>', '>=');
const twoDigits = (min: number, max: number) =>
  fc.integer({ min, max }).map((number) => String(number).padStart(2, '0'));
const year = fc.oneof(
  fc.constantFrom('0000', '0001', '9999', '2016', '1969', '10000', '-001', '1582'),
  fc.integer({ min: 0, max: 9999 }).map((number) => String(number).padStart(4, '0')),
);
const fraction = fc.oneof(
  fc.constantFrom(
    '',
    '.0',
    '.999',
    '.9999999',
    '.999999999999',
    '.0000001',
    '.',
    `.${'0'.repeat(50)}1`,
  ),
  fc.stringMatching(/^\.\d{1,12}$/),
);
const offset = fc.oneof(
  fc.constantFrom(
    'Z',
    'z',
    '+16:00',
    '-15:59',
    '+23:59',
    '-23:59',
    '+24:00',
    '+00:60',
    '',
    '-00:00',
  ),
  fc
    .tuple(fc.constantFrom('+', '-'), twoDigits(0, 23), twoDigits(0, 59))
    .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
);
const madeTime = fc
  .tuple(
    year,
    twoDigits(0, 13),
    twoDigits(0, 32),
    fc.constantFrom('T', 't', ' '),
    twoDigits(0, 24),
    twoDigits(0, 60),
    twoDigits(0, 61),
    fraction,
    offset,
  )
  .map(
    ([y, mo, d, separator, h, mi, s, f, o]) => `${y}-${mo}-${d}${separator}${h}:${mi}:${s}${f}${o}`,
  );
/** Times near existing ones, in every notation. */
const nearTime = fc
  .tuple(
    fc.constantFrom(...createdTimes),
    fc.constantFrom('', '0', '9', '0001', '000000001', '5'),
    offset,
  )
  .map(([time, digits, zone]) => time.replace('Z', `${digits}${zone}`));
const time = fc.oneof(
  madeTime,
  nearTime,
  nearTime,
  fc.constantFrom(
    'infinity',
    '-infinity',
    'now',
    'epoch',
    '2016-12-31T23:59:60Z',
    '9999-12-31T23:59:60Z',
    '2015-06-30T23:59:60.5Z',
  ),
);
const number = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '9007199254740990',
    '9007199254740991',
    '9007199254740992',
    '9223372036854775807',
    '9223372036854775808',
    '1e3',
    '1.0',
    '00',
    '+1',
    'NaN',
    '2147483648',
    '0x10',
    '９',
  ),
  fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
  fc.constantFrom(...rows).map(({ id }) => String(id)),
);
const text = fc.oneof(
  fc.constantFrom(
    ...titles,
    '%',
    '_',
    '\\',
    '\0',
    'a\0b',
    '\u0301',
    'I\u0307',
    '\u0130',
    '{',
    '}',
    "'",
    '\uffff',
    '\u{10ffff}',
    '\ufdd0',
    'ﬀ',
    '한',
    '\u1112\u1161\u11ab',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
);

const quoted = (value: string) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
const listOf = (filter: string) => `/api/tasks?per_page=100&filter=${encodeURIComponent(filter)}`;
const holds = (sign: number, how: Operator): boolean =>
  ({
    '=': sign === 0,
    '!=': sign !== 0,
    '<': sign < 0,
    '<=': sign <= 0,
    '>': sign > 0,
    '>=': sign >= 0,
  })[how];
const readInteger = (word: string): bigint | undefined =>
  /^(0|[1-9]\d*)$/.test(word) && BigInt(word) <= BigInt(idMax) ? BigInt(word) : undefined;

const timeFilter = fc.tuple(operator, time, fc.boolean()).map(([how, given, isQuoted]): Throw => {
  const value = timeByModel(given);
  const isShort = Buffer.byteLength(given) < filterMaxBytes - 20;
  return {
    method: 'GET',
    path: listOf(`createdAt${how}${isQuoted ? quoted(given) : given}`),
    found:
      value === undefined || !isShort
        ? null
        : (row) => holds(compare(timeByModel(row.created)!, value), how),
  };
});
const numberFilter = fc
  .tuple(fc.constantFrom('id', 'assigneeID'), operator, number)
  .map(([field, how, given]): Throw => {
    const value = readInteger(given);
    return {
      method: 'GET',
      path: listOf(`${field}${how}${given}`),
      found:
        value === undefined
          ? null
          : (row) => holds(compare(BigInt(field === 'id' ? row.id : row.assignee), value), how),
    };
  });
const textFilter = fc
  .tuple(fc.constantFrom('title', 'description'), fc.constantFrom('=', '!=', ':'), text)
  .map(([field, how, given]): Throw => {
    const value = (row: Row) => row[field as 'title'];
    const isGood = !given.includes('\0') && given.isWellFormed();
    return {
      method: 'GET',
      path: listOf(`${field}${how}${quoted(given)}`),
      found: !isGood
        ? null
        : how === ':'
          ? undefined
          : (row) => (value(row) === given) === (how === '='),
    };
  });
const exact = fc.oneof(
  text.map(
    (given): Throw => ({
      method: 'GET',
      path: `/api/tasks?per_page=100&title=${encodeURIComponent(given)}`,
      found: given.includes('\0') ? null : (row) => row.title === given,
    }),
  ),
  number.map((given): Throw => {
    const value = readInteger(given);
    return {
      method: 'GET',
      path: `/api/tasks?per_page=100&assignee_id=${encodeURIComponent(given)}`,
      found: value === undefined ? null : (row) => BigInt(row.assignee) === value,
    };
  }),
  fc.oneof(fc.constantFrom(...statuses), text).map(
    (given): Throw => ({
      method: 'GET',
      path: `/api/tasks?status=${encodeURIComponent(given)}`,
    }),
  ),
  fc.tuple(fc.constantFrom('page', 'per_page'), number).map(
    ([name, given]): Throw => ({
      method: 'GET',
      path: `/api/tasks?${name}=${encodeURIComponent(given)}`,
    }),
  ),
);
const anyText = fc
  .oneof(text, number)
  .map((given): Throw => ({ method: 'GET', path: listOf(quoted(given)) }));
const cursor = fc
  .tuple(
    fc.constantFrom(...sortFields),
    fc.constantFrom('', '-'),
    fc.oneof(text, number, time, fc.constantFrom(...statuses), fc.constant('')),
    fc.maxSafeInteger(),
    fc.option(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 }))),
  )
  .map(([field, direction, value, id, change]): Throw => {
    const rest = `sort=${direction}${field}`;
    const parsed = parseListQuery(rest);
    assert.ok(parsed.ok);
    const bytes = Buffer.from(
      encodeCursor({ id: Math.abs(id), value }, scopeOf(parsed.query)),
      'base64url',
    );
    if (change !== null) bytes[change[0] % bytes.length] = change[1];
    return { method: 'GET', path: `/api/tasks?${rest}&cursor=${bytes.toString('base64url')}` };
  });
const jsonNumber = fc.constantFrom(
  '0',
  '-0',
  '-1',
  '1e3',
  '9007199254740991',
  '9007199254740992',
  '9007199254740991.4',
  '1e400',
  '0.5',
  '1e-400',
  'null',
  '"1"',
);
const jsonText = fc.oneof(
  text.map((given) => JSON.stringify(given)),
  fc.constantFrom('"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '""', `"${'x'.repeat(256)}"`, '1'),
);
const body = fc
  .tuple(
    fc.constantFrom('POST', 'PUT', 'PATCH'),
    jsonText,
    jsonText,
    fc.oneof(
      jsonText,
      fc.constantFrom(...statuses).map((status) => `"${status}"`),
    ),
    jsonNumber,
  )
  .map(
    ([method, title, description, status, assignee]): Throw => ({
      method,
      // None of these is in the table, so other searches are not affected.
      path: method === 'POST' ? '/api/tasks' : `/api/tasks/${idMax - 7}`,
      body: `{"title":${title},"description":${description},"status":${status},"assigneeID":${assignee}}`,
    }),
  );
const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 80,
});
const tag = fc.oneof(
  visible,
  fc.tuple(number, number).map(([one, other]) => `"${one}-${other}"`.replace(/[^\x20-\x7e]/g, '')),
  fc.constantFrom('*', '', 'W/"1-1"', '"1-999999999999999"', '"1-9999999999999999"'),
);
const header = fc.tuple(fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE'), tag, tag).map(
  ([method, ifMatch, ifNoneMatch]): Throw => ({
    method,
    path: `/api/tasks/${method === 'GET' ? 1 : idMax - 7}`,
    headers: { 'If-Match': ifMatch, 'If-None-Match': ifNoneMatch },
    ...(method === 'PUT' || method === 'PATCH' ? { body: '{"title":"x"}' } : {}),
  }),
);
/** For rejected bodies only: a key is read from the head first. */
const key = visible.map(
  (given): Throw => ({
    method: 'POST',
    path: '/api/tasks',
    headers: { 'Idempotency-Key': given },
    body: '{"title":1}',
  }),
);
const path = number.map(
  (given): Throw => ({ method: 'GET', path: `/api/tasks/${encodeURIComponent(given)}` }),
);

test('no value fails, and a filter finds what it asks for', async (t) => {
  const api = createApi(suite.service.port, batchSize);
  t.after(api.close);
  const ids = new Set(rows.map(({ id }) => id));
  const made: fc.Arbitrary<Throw> = fc.oneof(
    { weight: 4, arbitrary: timeFilter },
    { weight: 2, arbitrary: numberFilter },
    { weight: 2, arbitrary: textFilter },
    { weight: 2, arbitrary: exact },
    { weight: 1, arbitrary: anyText },
    { weight: 3, arbitrary: cursor },
    { weight: 2, arbitrary: body },
    { weight: 2, arbitrary: header },
    { weight: 1, arbitrary: key },
    { weight: 1, arbitrary: path },
  );
  await fuzz(t, made, async (inputs) => {
    await Promise.all(inputs.map(throwOne));
  });
  assert.deepEqual(
    suite.service.log.filter(({ level }) => level === 'error'),
    [],
  );

  async function throwOne({
    method,
    path: target,
    headers = {},
    body: sent,
    found,
  }: Throw): Promise<void> {
    const options = { headers, ...(sent === undefined ? {} : { body: sent }) };
    const answer = await api.request(method, target, options);
    const where = `${method} ${target} ${JSON.stringify(options)}: ${answer.status} ${answer.text.slice(0, 300)}`;
    assert.ok(answer.status < 500, where);
    // Existing tasks must not change while other requests search.
    if (answer.status === 201) {
      assert.equal((await api.remove(answer.body.data.id)).status, 204);
      return;
    }
    if (found === undefined) return;
    assert.equal(answer.status, found === null ? 400 : 200, where);
    if (found === null) return;
    const got = answer.body.data.map(({ id }) => id).filter((id) => ids.has(id));
    const expected = rows
      .filter(found)
      .map(({ id }) => id)
      .sort((one, other) => one - other);
    assert.deepEqual(got, expected, where);
  }
});

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

test('the model of times knows the milliseconds of the tasks', () => {
  for (const created of createdTimes) {
    const ms =
      timeByModel(created)! / unitsPerMs - timeByModel('1970-01-01T00:00:00Z')! / unitsPerMs;
    assert.equal(Number(ms), Date.parse(created));
  }
});

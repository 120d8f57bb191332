/**
 * Requests generated from the schemas: a valid one succeeds and is stored as sent, an invalid one
 * is rejected without effect, and none fails.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortFields } from '../../src/contract/cursor.ts';
import { formats } from '../../src/contract/formats.ts';
import { urlMaxBytes } from '../../src/contract/limits.ts';
import {
  CreateTask,
  PatchTask,
  statuses,
  UpdateTask,
  writableFields,
} from '../../src/contract/task.ts';
import { isText } from '../../src/contract/values.ts';
import { Compile, Format } from '../../src/typebox.ts';
import { type Answer, createApi } from '../support/api.ts';
import { almost, fitting } from '../support/arbitraries.ts';
import { batchSize, fuzz } from '../support/fuzz.ts';
import { useService } from '../support/suite.ts';

const suite = useService('fuzz_requests');

for (const [name, { holds }] of Object.entries(formats)) Format.Set(name, holds);
const schemas = { POST: CreateTask, PUT: UpdateTask, PATCH: PatchTask } as const;
const checks = {
  POST: Compile(CreateTask),
  PUT: Compile(UpdateTask),
  PATCH: Compile(PatchTask),
} as const;
type Method = keyof typeof schemas;
/** Exist from the start and are never removed. */
const tasks = 20;

type Body = Readonly<Record<string, unknown>>;

interface Write {
  readonly type: 'write';
  readonly method: Method;
  readonly id: number;
  readonly body: unknown;
  /** A POST is sent twice with the same key. */
  readonly isKeyed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

interface Read {
  readonly type: 'read';
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly statuses: readonly number[];
  readonly headers: Readonly<Record<string, string>>;
}

const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 80,
});
const someHeaders = fc.record(
  {
    'X-Request-Id': visible,
    Accept: fc.constantFrom('*/*', 'application/json', 'application/problem+json', 'text/html'),
    'If-None-Match': fc.oneof(visible, fc.constantFrom('*', '"1-1"', 'W/"2-1", "3-1"')),
    Origin: visible,
    'X-Anything': visible,
  },
  { requiredKeys: [] },
);
/** A write with a precondition that holds. */
const writeHeaders = someHeaders.map(({ 'If-None-Match': known, ...rest }) => ({
  ...rest,
  ...(known === undefined ? {} : { 'If-None-Match': '"1-999999999", W/"x"' }),
}));

function bodyOf(method: Method): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 4, arbitrary: fitting(schemas[method]) },
    { weight: 3, arbitrary: almost(schemas[method]) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

const write: fc.Arbitrary<Write> = fc.constantFrom<Method>('POST', 'PUT', 'PATCH').chain((method) =>
  fc.record({
    type: fc.constant('write' as const),
    method: fc.constant(method),
    id: fc.integer({ min: 1, max: tasks }),
    body: bodyOf(method),
    isKeyed: fc.boolean(),
    headers: writeHeaders,
  }),
);

const number = fc.oneof(fc.nat({ max: 50 }), fc.maxSafeInteger().map(Math.abs)).map(String);
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter(isText);
const quoted = text.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`);
const comparison = fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const term = fc.oneof(
  quoted,
  fc
    .tuple(fc.constantFrom('title', 'description'), fc.constantFrom('=', '!=', ':'), quoted)
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.constantFrom('id', 'assigneeID', 'assignee_id'), comparison, number)
    .map((parts) => parts.join('')),
  fc.subarray([...statuses], { minLength: 1 }).map((some) => `status:${some.join('|')}`),
  fc
    .tuple(
      fc.constantFrom('createdAt', 'updatedAt'),
      comparison,
      fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
    )
    .map(([field, operator, date]) => field + operator + date.toISOString()),
);
const parameters = fc.record(
  {
    page: fc.nat({ max: 2 ** 31 - 1 }).map(String),
    per_page: fc.nat({ max: 1000 }).map(String),
    sort: fc
      .tuple(fc.constantFrom('', '-'), fc.constantFrom(...sortFields))
      .map((parts) => parts.join('')),
    status: fc.constantFrom(...statuses),
    assignee_id: number,
    title: text,
    filter: fc.array(term, { minLength: 1, maxLength: 4 }).map((terms) => terms.join(' AND ')),
  },
  { requiredKeys: [] },
);
const query = parameters.map((given) =>
  new URLSearchParams(given as Record<string, string>).toString(),
);
/** Any characters that a URL may contain. */
const anyQuery = fc
  .string({
    unit: fc.constantFrom(...'abcfilterpagesortstatus=&%+:,|<>!"0123456789AND-_.~*()'),
    maxLength: 60,
  })
  .map(encodeSpecials);

function encodeSpecials(raw: string): string {
  return raw.replaceAll(/[<>"|]/g, encodeURIComponent);
}

const found = [200, 304];
const target = fc.oneof(
  { weight: 3, arbitrary: query.map((raw) => ({ path: `/api/tasks?${raw}`, statuses: found })) },
  {
    weight: 3,
    arbitrary: anyQuery.map((raw) => ({ path: `/api/tasks?${raw}`, statuses: [...found, 400] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: tasks })
      .map((id) => ({ path: `/api/tasks/${id}`, statuses: found })),
  },
  // No task has this id, or it is not canonical.
  {
    weight: 1,
    arbitrary: fc
      .bigInt({ min: 2n ** 40n, max: 10n ** 30n })
      .map((id) => ({ path: `/api/tasks/${id}`, statuses: [404] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('0', '-', '+', '%31', 'x', '0x', '.'), fc.nat())
      .map(([before, id]) => ({ path: `/api/tasks/${before}${id}`, statuses: [400] })),
  },
  {
    weight: 1,
    arbitrary: fc
      .webPath()
      .map((path) => ({ path: `/api/tasks/${path}`, statuses: [...found, 400, 404] })),
  },
);
const read: fc.Arbitrary<Read> = fc
  .tuple(target, fc.constantFrom('GET', 'GET', 'GET', 'HEAD'), someHeaders)
  .filter(([{ path }]) => path.length <= urlMaxBytes)
  .map(([of, method, headers]) => ({ type: 'read', ...of, method, headers }));

test('requests that fit succeed, others are refused, nothing fails', async (t) => {
  const api = createApi(suite.service.port, batchSize);
  t.after(api.close);
  const { length: frontEnds } = suite.service.frontEnds();
  const pids = suite.service.frontEnds();
  let keys = 0;
  for (let id = 1; id <= tasks; id++) await api.create({ title: `task ${id}` });

  await fuzz(t, fc.oneof<fc.Arbitrary<Write | Read>[]>(write, read), async (inputs) => {
    await Promise.all(
      inputs.map((input) => (input.type === 'write' ? throwWrite(input) : throwRead(input))),
    );
    assert.deepEqual(suite.service.frontEnds(), pids);
  });
  assert.equal(suite.service.frontEnds().length, frontEnds);
  assert.deepEqual(
    suite.service.log.filter(({ level }) => level === 'error'),
    [],
  );

  async function throwWrite({ method, id, body, headers, isKeyed }: Write): Promise<void> {
    const path = method === 'POST' ? '/api/tasks' : `/api/tasks/${id}`;
    // The client would send a string unchanged.
    const sent = JSON.stringify(body);
    const key = { 'Idempotency-Key': `fuzz-${++keys}` };
    const options = { body: sent, headers: isKeyed ? { ...headers, ...key } : headers };
    const answer = await api.request(method, path, options);
    const expected = !fits(method, body) ? 400 : method === 'POST' ? 201 : 200;
    assert.equal(answer.status, expected, `${method} ${path} ${sent}: ${answer.text}`);
    if (expected === 400) return;
    if (expected === 200) return expectTaken(answer, body as Body);
    if (isKeyed) {
      const again = await api.request(method, path, options);
      assert.equal(again.headers['idempotency-replayed'], 'true');
      assert.equal(again.text, answer.text);
    }
    await expectKept(answer, body as Body);
  }

  /** JSON has -0; PostgreSQL's bigint has not. */
  function withoutSign(value: unknown): unknown {
    return value === 0 ? 0 : value;
  }

  /** Other requests change the task, but the response still shows this request's fields. */
  function expectTaken({ body: { data } }: Answer, body: Body): void {
    const assigneeID = body['assigneeID'] ?? body['assignee_id'];
    for (const [name, value] of Object.entries({ ...body, assigneeID })) {
      if (!writableFields.some((field) => field === name) || value == null) continue;
      assert.equal(data[name as (typeof writableFields)[number]], withoutSign(value), name);
    }
  }

  /** A task that only this client knows is as it was sent. */
  async function expectKept(answer: Answer, body: Body): Promise<void> {
    const { data } = answer.body;
    assert.equal(data.title, body['title']);
    assert.equal(data.description, body['description'] ?? '');
    assert.equal(data.status, body['status'] ?? 'pending');
    assert.equal(data.assigneeID, withoutSign(body['assigneeID'] ?? body['assignee_id'] ?? 0));
    const stored = await api.get(answer.headers.location!);
    assert.deepEqual(stored.body.data, data);
    assert.equal((await api.remove(data.id)).status, 204);
  }

  async function throwRead({ method, path, statuses: expected, headers }: Read): Promise<void> {
    const answer = await api.request(method, path, { headers });
    const { status, text: got } = answer;
    assert.ok(expected.includes(status), `${method} ${path}: ${status} ${got}`);
    if (method === 'HEAD' || status !== 200 || !path.startsWith('/api/tasks?')) return;
    // A cursor finds what page and sort find, and continues after it.
    const parameters = new URLSearchParams(path.slice(path.indexOf('?') + 1));
    parameters.delete('page');
    parameters.set('cursor', '');
    if (parameters.toString().length + '/api/tasks?'.length > urlMaxBytes) return;
    const first = await api.get(`/api/tasks?${parameters}`);
    if (expected.includes(400) && first.status === 400) return;
    assert.equal(first.status, 200, `${path}: ${first.text}`);
    const { next_cursor: next } = first.body.meta;
    if (next == null) return;
    parameters.set('cursor', next);
    const onwards = `/api/tasks?${parameters}`;
    // A cursor with a long title may not fit.
    if (onwards.length > urlMaxBytes) return;
    const second = await api.get(onwards);
    assert.equal(second.status, 200, `${path}: ${second.text}`);
  }
});

/** By the schemas, and by two rules outside of them. */
function fits(method: Method, body: unknown): boolean {
  if (!checks[method].Check(body)) return false;
  const fields = body as Body;
  const one = fields['assigneeID'];
  const other = fields['assignee_id'];
  if (one !== undefined && other !== undefined && (one ?? 0) !== (other ?? 0)) return false;
  const names = [...writableFields, 'assignee_id'];
  return method !== 'PUT' || names.some((name) => fields[name] !== undefined);
}

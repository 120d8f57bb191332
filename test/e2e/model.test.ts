/** After any sequence of requests by several clients, the state equals that of a simple model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { statuses } from '../../src/contract/task.ts';
import type { Api } from '../support/api.ts';
import { useService } from '../support/suite.ts';

const suite = useService('model', { env: { OFFLOAD_MIN_BATCH: '2' } });
const runs = Number(process.env['MODEL_RUNS'] ?? 40);

interface Fields {
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly assigneeID: number;
}

/** The tags of a condition: versions relative to the current one, or `*`. */
type Named = '*' | readonly { readonly away: number; readonly isWeak: boolean }[];

interface Conditions {
  readonly ifMatch?: Named;
  readonly ifNoneMatch?: Named;
}

type Command =
  | { readonly kind: 'create'; readonly fields: Partial<Fields> & { readonly title: string } }
  | {
      readonly kind: 'change';
      readonly which: number;
      readonly fields: Partial<Fields>;
      readonly conditions: Conditions;
    }
  | { readonly kind: 'remove'; readonly which: number; readonly conditions: Conditions }
  | { readonly kind: 'read'; readonly which: number };

const text = (minLength: number) =>
  fc
    .string({ unit: 'binary', minLength, maxLength: 30 })
    .filter((value) => !value.includes('\0') && (minLength === 0 || /\S/.test(value)));
const fields = {
  title: text(1),
  description: text(0),
  status: fc.constantFrom(...statuses),
  assigneeID: fc.integer({ min: 0, max: 9 }),
};
const which = fc.nat({ max: 5 });
const named = fc.oneof(
  fc.constant('*'),
  fc.array(
    // A version far away stands for the tag of another task.
    fc.record({ away: fc.constantFrom(-1, 0, 0, 1, 1000), isWeak: fc.boolean() }),
    { minLength: 1, maxLength: 3 },
  ),
);
const conditions = fc.oneof(
  fc.constant({}),
  fc.record({ ifMatch: named, ifNoneMatch: named }, { requiredKeys: [] }),
);
const command = fc.oneof(
  fc.record({
    kind: fc.constant('create'),
    fields: fc.record(fields, { requiredKeys: ['title'] }),
  }),
  fc.record({
    kind: fc.constant('change'),
    which,
    fields: fc.record(fields, { requiredKeys: [] }),
    conditions,
  }),
  fc.record({ kind: fc.constant('remove'), which, conditions }),
  fc.record({ kind: fc.constant('read'), which }),
) as fc.Arbitrary<Command>;

/** Each client works on its own tasks, so its model is exact while others write. */
async function play(api: Api, commands: readonly Command[]): Promise<Map<number, Fields>> {
  const model = new Map<number, Fields>();
  const known: number[] = [];
  const versions = new Map<number, number>();
  for (const step of commands) {
    if (step.kind === 'create') {
      const { status, body } = await api.post({ ...step.fields });
      assert.equal(status, 201);
      const { id, createdAt, updatedAt, ...made } = body.data;
      const expected = { description: '', status: 'pending', assigneeID: 0, ...step.fields };
      assert.deepEqual({ ...made }, { ...expected });
      model.set(id, expected);
      versions.set(id, 1);
      known.push(id);
      continue;
    }
    const id = known[step.which % Math.max(known.length, 1)] ?? 2 ** 50;
    const before = model.get(id);
    const version = versions.get(id) ?? 1;
    if (step.kind === 'read') {
      const { status, body } = await api.get(`/api/tasks/${id}`);
      assert.equal(status, before === undefined ? 404 : 200);
      if (before !== undefined) assert.deepEqual(writable(body.data), { ...before });
    } else if (step.kind === 'remove') {
      const headers = headersOf(step.conditions, id, version);
      const { status } = await api.request('DELETE', `/api/tasks/${id}`, { headers });
      const isMet = holds(step.conditions);
      assert.equal(status, before === undefined ? 404 : isMet ? 204 : 412);
      if (isMet) model.delete(id);
    } else {
      const headers = headersOf(step.conditions, id, version);
      const { status, body } = await api.put(id, { ...step.fields }, { headers });
      if (Object.keys(step.fields).length === 0) {
        assert.equal(status, 400);
      } else if (before === undefined) {
        assert.equal(status, 404);
      } else if (!holds(step.conditions)) {
        assert.equal(status, 412);
      } else {
        assert.equal(status, 200);
        versions.set(id, version + 1);
        model.set(id, { ...before, ...step.fields });
        assert.deepEqual(writable(body.data), { ...before, ...step.fields });
      }
    }
  }
  return model;
}

/** For an existing task. */
function holds({ ifMatch = '*', ifNoneMatch = [] }: Conditions): boolean {
  if (ifNoneMatch === '*' || ifNoneMatch.some(({ away }) => away === 0)) return false;
  return ifMatch === '*' || ifMatch.some(({ away, isWeak }) => away === 0 && !isWeak);
}

function headersOf(
  { ifMatch, ifNoneMatch }: Conditions,
  id: number,
  version: number,
): Record<string, string> {
  const tags = (given: Named) =>
    given === '*'
      ? '*'
      : given
          .map(({ away, isWeak }) => {
            const tag = away === 1000 ? `"${id + 1}-${version}"` : `"${id}-${version + away}"`;
            return isWeak ? `W/${tag}` : tag;
          })
          .join(', ');
  return {
    ...(ifMatch === undefined ? {} : { 'If-Match': tags(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { 'If-None-Match': tags(ifNoneMatch) }),
  };
}

function writable(task: Fields): Fields {
  const { title, description, status, assigneeID } = task;
  return { title, description, status, assigneeID };
}

test('create, read, change and remove do what a model in memory does', async (t) => {
  const seed = Number(process.env['MODEL_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}: MODEL_SEED repeats it`);
  const clients = fc.array(fc.array(command, { maxLength: 25 }), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(clients, async (scripts) => {
      await suite.database.sql`TRUNCATE tasks`;
      const models = await Promise.all(scripts.map((script) => play(suite.api, script)));
      const expected = new Map(models.flatMap((model) => [...model]));

      const listed = new Map<number, Fields>();
      for (let page = 1; ; page++) {
        const { body } = await suite.api.get(`/api/tasks?per_page=100&page=${page}`);
        assert.equal(body.meta.total, expected.size);
        for (const task of body.data) listed.set(task.id, writable(task));
        if (page >= body.meta.total_pages) break;
      }
      assert.deepEqual(
        [...listed].sort(([a], [b]) => a - b),
        [...expected]
          .map(([id, made]) => [id, { ...made }])
          .sort(([a], [b]) => Number(a) - Number(b)),
      );
      for (const status of statuses) {
        const { body } = await suite.api.get(`/api/tasks?status=${status}&per_page=1`);
        const count = [...expected.values()].filter((made) => made.status === status).length;
        assert.equal(body.meta.total, count);
      }
    }),
    { numRuns: runs, seed },
  );
});

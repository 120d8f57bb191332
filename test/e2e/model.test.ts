/** Any sequence of requests by any number of clients leaves what a simple model says. */
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

type Command =
  | { readonly kind: 'create'; readonly fields: Partial<Fields> & { readonly title: string } }
  | { readonly kind: 'change'; readonly which: number; readonly fields: Partial<Fields> }
  | { readonly kind: 'remove'; readonly which: number }
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
const command = fc.oneof(
  fc.record({
    kind: fc.constant('create'),
    fields: fc.record(fields, { requiredKeys: ['title'] }),
  }),
  fc.record({
    kind: fc.constant('change'),
    which,
    fields: fc.record(fields, { requiredKeys: [] }),
  }),
  fc.record({ kind: fc.constantFrom('remove', 'read'), which }),
) as fc.Arbitrary<Command>;

/** A client works on its own tasks, so that its model is exact while others write too. */
async function play(api: Api, commands: readonly Command[]): Promise<Map<number, Fields>> {
  const model = new Map<number, Fields>();
  const known: number[] = [];
  for (const step of commands) {
    if (step.kind === 'create') {
      const { status, body } = await api.post({ ...step.fields });
      assert.equal(status, 201);
      const { id, createdAt, updatedAt, ...made } = body.data;
      const expected = { description: '', status: 'pending', assigneeID: 0, ...step.fields };
      assert.deepEqual({ ...made }, { ...expected });
      model.set(id, expected);
      known.push(id);
      continue;
    }
    const id = known[step.which % Math.max(known.length, 1)] ?? 2 ** 50;
    const before = model.get(id);
    if (step.kind === 'read') {
      const { status, body } = await api.get(`/api/tasks/${id}`);
      assert.equal(status, before === undefined ? 404 : 200);
      if (before !== undefined) assert.deepEqual(writable(body.data), { ...before });
    } else if (step.kind === 'remove') {
      const { status } = await api.remove(id);
      assert.equal(status, before === undefined ? 404 : 204);
      model.delete(id);
    } else {
      const { status, body } = await api.put(id, { ...step.fields });
      if (Object.keys(step.fields).length === 0) {
        assert.equal(status, 400);
      } else if (before === undefined) {
        assert.equal(status, 404);
      } else {
        assert.equal(status, 200);
        model.set(id, { ...before, ...step.fields });
        assert.deepEqual(writable(body.data), { ...before, ...step.fields });
      }
    }
  }
  return model;
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

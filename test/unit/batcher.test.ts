import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Answers } from '../../src/batching/batch-executor.ts';
import { type BatcherOptions, createBatcher, type Waiting } from '../../src/batching/batcher.ts';
import type { RequestItem, ResponseItem } from '../../src/batching/frames.ts';

interface Request extends Waiting, RequestItem {}

interface Run {
  readonly ids: readonly number[];
  finish(): void;
  break(error: Error): void;
}

const nobody = new Uint8Array(0);

/** A batcher on a pool that runs what it is told to, when it is told to. */
function setUp(options: Partial<BatcherOptions<Request, ResponseItem>> = {}) {
  const runs: Run[] = [];
  const answered: number[] = [];
  const failed: string[] = [];
  const lefts: number[] = [];

  function execute(items: readonly RequestItem[], leftMs: number): Promise<Answers<ResponseItem>> {
    lefts.push(leftMs);
    const ids = items.map((item) => item.id);
    return new Promise((resolve, reject) => {
      runs.push({
        ids,
        finish: () =>
          resolve({
            items: ids.map((id) => {
              return { id, version: 1, status: 200, problem: 0, flags: 0, body: nobody };
            }),
            timing: { statementUs: 1, endedAt: 0 },
          }),
        break: reject,
      });
    });
  }

  const batcher = createBatcher<Request, ResponseItem>({
    batchMax: 4,
    queueMax: 8,
    queueWaitMaxMs: 10_000,
    inFlightMax: 1,
    repeatable: false,
    lonesWait: false,
    execute,
    answer: (request, item) => {
      assert.equal(request.id, item.id);
      answered.push(request.id);
    },
    fail: (request, code) => failed.push(`${request.id} ${code}`),
    ...options,
  });
  const add = (id: number, deadline = 1000): boolean =>
    batcher.add({ id, flags: 0, body: nobody, extra: '', deadline, sentAt: 0, timing: undefined });
  return { batcher, runs, answered, failed, lefts, add };
}

test('requests of one turn of the event loop share a batch', async () => {
  const { add, runs, answered } = setUp();
  for (const id of [1, 2, 3]) add(id);
  await turn();
  assert.deepEqual(
    runs.map((run) => run.ids),
    [[1, 2, 3]],
  );
  runs[0]!.finish();
  await turn();
  assert.deepEqual(answered, [1, 2, 3]);
});

test('requests that come while a batch is on its way gather for the next one, at most batchMax', async () => {
  const { add, runs, answered } = setUp();
  add(0);
  await turn();
  for (const id of [1, 2, 3, 4, 5, 6]) add(id);
  await turn();
  assert.equal(runs.length, 1);
  runs[0]!.finish();
  await turn();
  assert.deepEqual(runs[1]!.ids, [1, 2, 3, 4]);
  runs[1]!.finish();
  await turn();
  assert.deepEqual(runs[2]!.ids, [5, 6]);
  runs[2]!.finish();
  await turn();
  assert.deepEqual(answered, [0, 1, 2, 3, 4, 5, 6]);
});

test('as many batches as allowed are on their way at once', async () => {
  const { add, runs } = setUp({ inFlightMax: 2 });
  for (const id of [1, 2, 3]) {
    add(id);
    await turn();
  }
  assert.deepEqual(
    runs.map((run) => run.ids),
    [[1], [2]],
  );
});

test('a full queue refuses, and takes again once a batch has gone', async () => {
  const { add, runs } = setUp();
  add(0);
  await turn();
  for (let id = 1; id <= 8; id++) assert.equal(add(id), true);
  assert.equal(add(9), false);
  runs[0]!.finish();
  await turn();
  assert.equal(add(10), true);
});

test('the same id waits for the next batch, in order, where one statement writes each row once', async () => {
  const { add, runs } = setUp({ idOf: ({ id }) => id });
  for (const id of [1, 2, 1, 1, 3]) add(id);
  for (const expected of [[1, 2, 3], [1], [1]]) {
    await turn();
    assert.deepEqual(runs.at(-1)!.ids, expected);
    runs.at(-1)!.finish();
  }
  await turn();
});

test('a batch whose thread died is outcome_unknown for writes', async () => {
  const { add, runs, failed } = setUp();
  add(1);
  add(2);
  await turn();
  runs[0]!.break(new Error('worker exited'));
  await turn();
  assert.deepEqual(failed, ['1 outcome_unknown', '2 outcome_unknown']);
});

test('reads whose thread died run once more, and only once', async () => {
  const { add, runs, failed, answered } = setUp({ repeatable: true });
  add(1);
  await turn();
  runs[0]!.break(new Error('worker exited'));
  await turn();
  assert.deepEqual(runs[1]!.ids, [1]);
  runs[1]!.finish();
  await turn();
  assert.deepEqual(answered, [1]);

  add(2);
  await turn();
  runs[2]!.break(new Error('worker exited'));
  await turn();
  runs[3]!.break(new Error('worker exited'));
  await turn();
  assert.deepEqual(failed, ['2 unavailable']);
});

test('a request past its deadline is given up, once, whether it waits or is on its way', async () => {
  const { add, batcher, runs, failed, answered } = setUp();
  add(1, 100);
  add(2, 300);
  await turn();
  add(3, 200);
  add(4, 400);
  assert.equal(batcher.size(), 4);
  batcher.expire(250);
  assert.deepEqual(failed, ['3 overloaded', '1 outcome_unknown']);
  assert.equal(batcher.size(), 2);
  batcher.expire(250);
  runs[0]!.finish();
  await turn();
  runs[1]!.finish();
  await turn();
  assert.deepEqual(failed, ['3 overloaded', '1 outcome_unknown']);
  assert.deepEqual(answered, [2, 4]);
  assert.equal(batcher.size(), 0);
});

test('of a batch whose thread died, what takes effect once runs once more, before what came later', async () => {
  const { add, runs, failed, answered } = setUp({
    isRepeatable: (request) => request.id % 2 === 0,
  });
  for (const id of [1, 2, 3, 4]) add(id);
  await turn();
  add(5);
  runs[0]!.break(new Error('worker exited'));
  await turn();
  assert.deepEqual(failed, ['1 outcome_unknown', '3 outcome_unknown']);
  assert.deepEqual(runs[1]!.ids, [2, 4, 5]);
  runs[1]!.break(new Error('worker exited'));
  await turn();
  assert.deepEqual(failed.slice(2), [
    '2 outcome_unknown',
    '4 outcome_unknown',
    '5 outcome_unknown',
  ]);
  assert.equal(runs.length, 2);
  assert.deepEqual(answered, []);
});

test('a second try that fails, or never begins, leaves the outcome of the first unknown', async () => {
  const once = { isRepeatable: () => true };
  const answers = setUp({ ...once, leavesOpen: ({ id }) => id === 1 });
  for (const id of [1, 2]) answers.add(id);
  await turn();
  answers.runs[0]!.break(new Error('worker exited'));
  await turn();
  answers.runs[1]!.finish();
  await turn();
  assert.deepEqual(answers.failed, ['1 outcome_unknown']);
  assert.deepEqual(answers.answered, [2]);
  // For a first attempt, the same answer counts.
  answers.add(1);
  await turn();
  answers.runs[2]!.finish();
  await turn();
  assert.deepEqual(answers.answered, [2, 1]);

  const waits = setUp(once);
  waits.add(1);
  waits.add(2);
  await turn();
  waits.runs[0]!.break(new Error('worker exited'));
  await turn();
  // Both are in flight again; they must not be reported as rejected.
  waits.batcher.expire(2000);
  assert.deepEqual(waits.failed, ['1 outcome_unknown', '2 outcome_unknown']);
});

test('newcomers are refused while the first of the queue waits too long', async () => {
  const { add, runs, answered } = setUp({ queueWaitMaxMs: 100 });
  add(0, 1000);
  await turn();
  // Each deadline is the arrival plus the timeout: these came at 0, 50, 100 and 101 ms.
  assert.equal(add(1, 1000), true);
  assert.equal(add(2, 1050), true);
  assert.equal(add(3, 1100), true);
  assert.equal(add(4, 1101), false);
  runs[0]!.finish();
  await turn();
  assert.equal(add(5, 1300), true);
  assert.equal(add(6, 1400), true);
  assert.equal(add(7, 1401), false);
  runs[1]!.finish();
  await turn();
  runs[2]!.finish();
  await turn();
  assert.deepEqual(answered, [0, 1, 2, 3, 5, 6]);
});

test('a batch is told how long the first of its answers may take, whatever their order', async () => {
  const { add, lefts } = setUp();
  const now = performance.now();
  add(1, now + 5000);
  add(2, now + 3000);
  add(3, now + 4000);
  await turn();
  assert.equal(lefts.length, 1);
  assert.ok(lefts[0]! <= 3000, String(lefts[0]));
  assert.ok(lefts[0]! > 3000 - (performance.now() - now) - 1, String(lefts[0]));
});

test('a lone write leaves in the next turn of the event loop, a lone read in this one', async () => {
  for (const lonesWait of [true, false]) {
    const { add, runs } = setUp({ lonesWait });
    add(1);
    // Microtasks run while the parser is still in the middle of a segment.
    await Promise.resolve();
    await Promise.resolve();
    assert.equal(runs.length, lonesWait ? 0 : 1);
    await turn();
    assert.equal(runs.length, 1);
  }
});

test('a request whose client is gone before its batch leaves has no effect', async () => {
  const gone = new Set<number>();
  const { add, runs, answered, failed } = setUp({ isGone: ({ id }) => gone.has(id) });
  add(1);
  gone.add(1);
  await turn();
  assert.equal(runs.length, 0);
  for (const id of [2, 3, 4]) add(id);
  gone.add(3);
  await turn();
  assert.deepEqual(runs[0]!.ids, [2, 4]);
  runs[0]!.finish();
  await turn();
  assert.deepEqual([answered, failed], [[2, 4], []]);
});

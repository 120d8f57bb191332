import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStatementClock } from '../../src/base/statement-time.ts';
import type { ResponseItem } from '../../src/batching/frames.ts';
import { problemCodes } from '../../src/contract/problems.ts';
import { noContent, notFound } from '../../src/tasks/item-answers.ts';
import { createLateRows } from '../../src/tasks/late-rows.ts';
import { executeWrites, type Write } from '../../src/tasks/write-batch.ts';

interface Run {
  readonly ids: readonly number[];
  /** `lock/statement` in milliseconds; empty: the limits of the connection. */
  readonly limits: string;
}

const timeoutMs = 16_000;

/** Rows are their ids. @param fate the result of each run of some rows; `undefined`: success. */
function setUp(fate: (ids: readonly number[], tries: number) => string | undefined) {
  const runs: Run[] = [];
  const late = createLateRows();
  const tries = new Map<string, number>();
  const write: Write<number> = async (ids, before) => {
    runs.push({ ids, limits: before.map(({ parameters }) => parameters.join('/')).join() });
    const tried = tries.get(ids.join()) ?? 0;
    tries.set(ids.join(), tried + 1);
    const code = fate(ids, tried);
    if (code === undefined) return ids.map(() => noContent);
    const isOurs = !/^\d/.test(code);
    const reported = {
      severity: 'ERROR',
      routine: '',
      constraint: '',
      hasContext: false,
      isRunning: true,
    };
    throw Object.assign(new Error('x'), { code }, isOurs ? {} : reported);
  };

  async function execute(ids: readonly number[], leftMs = timeoutMs): Promise<string[]> {
    const items = ids.map((id) => ({ id, flags: 0, extra: '', body: new Uint8Array(0) }));
    const answers = await executeWrites(
      items,
      {
        decode: ({ id }) => ({ ok: true, value: id }),
        write,
        lookCloser: async (open) => open.map(() => notFound),
        isRepeatable: (id) => id >= 100,
        idOf: (id) => id,
      },
      { timeoutMs, leftMs, late, clock: createStatementClock() },
    );
    return answers.map(nameOf);
  }

  return { runs, late, execute };
}

function nameOf({ problem, status }: ResponseItem): string {
  return problem === 0 ? String(status) : problemCodes[problem - 1]!;
}

const idsOf = (runs: readonly Run[]) => runs.map(({ ids }) => ids.join());

test('a batch is one run, with the limits of its connection', async () => {
  const { runs, execute } = setUp(() => undefined);
  assert.deepEqual(await execute([1, 2, 3]), ['204', '204', '204']);
  assert.deepEqual(runs, [{ ids: [1, 2, 3], limits: '' }]);
});

test('a row that is refused is found by halving, and the others are written once', async () => {
  const { runs, execute } = setUp((ids) => (ids.includes(3) ? '23514' : undefined));
  const answers = await execute([1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(answers, ['204', '204', 'rejected', '204', '204', '204', '204', '204']);
  assert.deepEqual(idsOf(runs), ['1,2,3,4,5,6,7,8', '1,2,3,4', '1,2', '3,4', '3', '4', '5,6,7,8']);
});

test('a row that is late has a short time beside others, and what is left behind them', async () => {
  const { runs, late, execute } = setUp((ids) => (ids.includes(3) ? '55P03' : undefined));
  const answers = await execute([1, 2, 3, 4, 5]);
  assert.deepEqual(answers, ['204', '204', 'unavailable', '204', '204']);
  assert.deepEqual(idsOf(runs), ['1,2,3,4,5', '1,2', '3,4', '3', '4', '5', '3']);
  assert.deepEqual(
    runs.map(({ limits }) => limits),
    ['', '500/1000', '500/1000', '500/1000', '500/1000', '500/1000', '4000/5334'],
  );
  assert.equal(late.has(3), true);
});

test('a row that was late a moment ago runs behind the others, with a short time, once', async () => {
  const { runs, late, execute } = setUp((ids) => (ids.includes(3) ? '57014' : undefined));
  late.add(3);
  assert.deepEqual(await execute([3, 1, 2]), ['unavailable', '204', '204']);
  assert.deepEqual(runs.slice(0, 2), [
    { ids: [1, 2], limits: '' },
    { ids: [3], limits: '500/1000' },
  ]);
  assert.equal(runs.length, 2);
  assert.equal(late.has(3), true);
});

test('a row that is in time again is like others', async () => {
  const { runs, late, execute } = setUp(() => undefined);
  late.add(3);
  await execute([1, 3]);
  await execute([1, 3]);
  assert.deepEqual(idsOf(runs), ['1', '3', '1,3']);
  assert.equal(late.has(3), false);
});

test('a late create has no id to be remembered by', async () => {
  const { runs, late, execute } = setUp((ids) => (ids.includes(0) ? '57014' : undefined));
  assert.deepEqual(await execute([0]), ['unavailable']);
  assert.equal(late.has(0), false);
  assert.deepEqual(
    runs.map(({ limits }) => limits),
    ['', '4000/5334'],
  );
});

test('a row that was late before does not hide another that is late now', async () => {
  const { runs, late, execute } = setUp((ids, tries) =>
    ids.includes(4) && (ids.length > 1 || tries === 0) ? '57014' : undefined,
  );
  late.add(3);
  assert.deepEqual(await execute([3, 4, 5]), ['204', '204', '204']);
  assert.deepEqual(idsOf(runs), ['4,5', '4', '5', '3', '4']);
});

test('a deadlock is run again as a whole', async () => {
  const { runs, execute } = setUp((_, tries) => (tries < 2 ? '40P01' : undefined));
  assert.deepEqual(await execute([1, 2]), ['204', '204']);
  assert.deepEqual(idsOf(runs), ['1,2', '1,2', '1,2']);
});

test('a deadlock that does not end is unavailable, after a bounded number of tries', async () => {
  const { runs, execute } = setUp(() => '40001');
  assert.deepEqual(await execute([1]), ['unavailable']);
  assert.equal(runs.length, 5);
});

test('a lost connection leaves the outcome unknown; what takes effect once runs once more', async () => {
  const { runs, execute } = setUp((ids) => (ids.includes(1) ? 'CONNECTION_CLOSED' : undefined));
  assert.deepEqual(await execute([1, 100]), ['outcome_unknown', '204']);
  assert.deepEqual(idsOf(runs), ['1,100', '100']);
  const again = setUp(() => 'CONNECTION_CLOSED');
  assert.deepEqual(await again.execute([100]), ['outcome_unknown']);
  assert.equal(again.runs.length, 2);
});

test('of two tries of what takes effect once, either may have happened', async () => {
  const outcomes: readonly (readonly [first: string, second: string, told: string])[] = [
    ['CLIENT_SPENT', 'CONNECTION_CLOSED', 'outcome_unknown'],
    ['CLIENT_SPENT', 'CLIENT_SPENT', 'unavailable'],
    ['CLIENT_SPENT', '23505', 'rejected'],
    ['CONNECTION_CLOSED', 'CLIENT_SPENT', 'outcome_unknown'],
    ['CONNECTION_CLOSED', '53100', 'outcome_unknown'],
    ['CONNECTION_CLOSED', '23505', 'outcome_unknown'],
  ];
  for (const [first, second, told] of outcomes) {
    const { execute } = setUp((_, tries) => (tries === 0 ? first : second));
    assert.deepEqual(await execute([100]), [told], `${first}, then ${second}`);
  }
});

test('a connection that is lost among pieces concerns its piece', async () => {
  const { execute } = setUp((ids) => {
    if (ids.length === 4) return '23505';
    return ids.includes(3) ? 'ECONNRESET' : undefined;
  });
  assert.deepEqual(await execute([1, 2, 3, 4]), [
    '204',
    '204',
    'outcome_unknown',
    'outcome_unknown',
  ]);
});

test('a failure that concerns all rows fails them all at once', async () => {
  for (const code of ['53100', '25006', '42P01']) {
    const { runs, execute } = setUp(() => code);
    assert.deepEqual(await execute([1, 2]), ['unavailable', 'unavailable']);
    assert.equal(runs.length, 1);
  }
});

test('nothing begins that would be answered when its time is over', async () => {
  const { runs, execute } = setUp(() => undefined);
  assert.deepEqual(await execute([1, 2], 100), ['unavailable', 'unavailable']);
  assert.equal(runs.length, 0);
  // A statement gets at most the time left, minus that for the answer.
  assert.deepEqual(await execute([1], 1000), ['204']);
  const [lock, statement] = runs[0]!.limits.split('/').map(Number);
  assert.ok(lock! <= 800 && statement! <= 800, runs[0]!.limits);
});

test('another number of answers than of rows is a bug and nobody’s answer', async () => {
  const answers = await executeWrites(
    [1, 2].map((id) => ({ id, flags: 0, extra: '', body: new Uint8Array(0) })),
    {
      decode: ({ id }) => ({ ok: true, value: id }),
      write: async () => [noContent],
      lookCloser: async () => [],
      isRepeatable: () => false,
      idOf: (id: number) => id,
    },
    { timeoutMs, leftMs: timeoutMs, late: createLateRows(), clock: createStatementClock() },
  );
  assert.deepEqual(answers.map(nameOf), ['internal', 'internal']);
});

test('late rows are remembered for some seconds, a bounded number of them', () => {
  let now = 0;
  const late = createLateRows(() => now);
  for (let id = 1; id <= 1001; id++) late.add(id);
  assert.deepEqual([late.has(1), late.has(2), late.has(1001)], [false, true, true]);
  now = 10_001;
  assert.equal(late.has(1001), false);
});

test('a row that stops being late while the others are written is written all the same', async () => {
  const { runs, late, execute } = setUp((ids) => {
    // As after another batch has written it.
    if (ids.includes(1)) late.remove(3);
    return undefined;
  });
  late.add(3);
  assert.deepEqual(await execute([1, 3, 2]), ['204', '204', '204']);
  assert.deepEqual(idsOf(runs), ['1,2', '3']);
});

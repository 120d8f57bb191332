import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { arch, platform } from 'node:os';
import { test } from 'node:test';
import { type Benchmark, pureBenchmark } from '../../perf/micro/harness/benchmark.ts';
import { parseFlags } from '../../perf/micro/harness/flags.ts';
import { formatHeader, formatLine } from '../../perf/micro/harness/format.ts';
import { measure, nextOperations } from '../../perf/micro/harness/measure.ts';
import { orderOf } from '../../perf/micro/harness/order.ts';
import { parsePattern } from '../../perf/micro/harness/pattern.ts';
import { runRounds, withFrame } from '../../perf/micro/harness/run.ts';
import { parseResults } from '../support/go-benchmarks.ts';

const never = new AbortController().signal;
const times = (value: number) => ({ unit: 'operations', value }) as const;

function accepted(...args: string[]) {
  const result = parseFlags(args);
  assert.ok(result.ok, JSON.stringify(result));
  return result.flags;
}

test('flags are taken as go test takes them', () => {
  const defaults = accepted();
  assert.equal(defaults.count, 1);
  assert.deepEqual(defaults.benchtime, { unit: 'nanoseconds', value: 1e9 });
  const given = accepted('-count=3', '--benchtime', '1m0.5s', '-test.shuffle=7', '-benchmem');
  assert.equal(given.count, 3);
  assert.deepEqual(given.benchtime, { unit: 'nanoseconds', value: 60.5e9 });
  assert.equal(given.shuffle, 7);
  assert.deepEqual(accepted('-benchtime=100x').benchtime, times(100));
  assert.equal(accepted('-shuffle=off').shuffle, null);
  assert.equal(accepted('-round=2').round, 2);
  assert.equal(accepted('-cpuprofile=a=b').cpuprofile, 'a=b');
});

test('a flag that is not there, or has a value that it cannot have, is named', () => {
  for (const [flag, part] of [
    ['-run=x', /-run=x is no flag/],
    ['-constructor=1', /is no flag/],
    ['bench', /is no flag/],
    ['-count=0', /-count=0: expected/],
    ['-count', /needs a value/],
    ['-benchtime=1', /-benchtime=1: expected/],
    ['-benchtime=0s', /-benchtime=0s: expected/],
    ['-benchtime=0x', /expected/],
    ['-bench=(', /-bench=\(: expected/],
    ['-shuffle=maybe', /expected on, off/],
  ] as const) {
    const result = parseFlags([flag]);
    assert.ok(!result.ok, flag);
    assert.match(result.message, part);
  }
});

test('a pattern has an expression for each part of a name', () => {
  const matching = (pattern: string, name: string): boolean => parsePattern(pattern)!.matches(name);
  assert.ok(matching('.', 'GetTask/batch=32'));
  assert.ok(matching('Task', 'GetTask'));
  assert.ok(matching('^GetTask$', 'GetTask/batch=32'));
  assert.ok(matching('Get/32', 'GetTask/batch=32'));
  assert.ok(!matching('Get/32', 'GetTask'));
  assert.ok(!matching('Get/64', 'GetTask/batch=32'));
  assert.ok(matching('Get/32|Delete', 'DeleteTask'));
  assert.ok(matching('(Get|Delete)Task/[|/3]2', 'DeleteTask/batch=32'));
  assert.equal(parsePattern('['), undefined);
});

test('the order is the same for the same seed, another in each round, and loses nothing', () => {
  const items = Array.from({ length: 40 }, (_, place) => place);
  assert.deepEqual(orderOf(items, null, 1), items);
  assert.deepEqual(orderOf(items, 1, 1), orderOf(items, 1, 1));
  assert.notDeepEqual(orderOf(items, 1, 1), orderOf(items, 1, 2));
  assert.notDeepEqual(orderOf(items, 1, 1), orderOf(items, 2, 1));
  assert.deepEqual(
    orderOf(items, 5, 3).toSorted((a, b) => a - b),
    items,
  );
});

test('the number of operations grows as in package testing', () => {
  const next = (operations: number, nanoseconds: number): number =>
    nextOperations({ operations, nanoseconds }, 1e9);
  assert.equal(next(1, 0), 100, 'at most a hundred times as many');
  assert.equal(next(1, 50e6), 24, 'a fifth more than the time needs');
  assert.equal(next(10, 990e6), 12);
  assert.equal(next(1, 999e6), 2, 'at least one more');
  assert.equal(next(1e9, 1), 1e9, 'a bound');
});

test('a run lasts as long as was asked for, or has as many operations', async () => {
  const runs: number[] = [];
  const spin: Benchmark = {
    name: 'Spin',
    prepare(operations) {
      runs.push(operations);
      return () => {
        const end = performance.now() + operations;
        while (performance.now() < end);
      };
    },
  };
  const timed = await measure(spin, { unit: 'nanoseconds', value: 20e6 }, never);
  assert.ok(timed.nanoseconds >= 20e6);
  assert.equal(runs[0], 1);
  assert.equal(runs.at(-1), timed.operations);
  assert.ok(runs.every((operations, place) => place === 0 || operations > runs[place - 1]!));

  runs.length = 0;
  await measure(spin, times(3), never);
  assert.deepEqual(runs, [1, 3]);
});

test('the time of a run has what is awaited in it, and not what is prepared', async () => {
  let preparedMs = 0;
  let awaitedMs = 0;
  const prepared: Benchmark = {
    name: 'Prepared',
    async prepare() {
      preparedMs = await timed(100);
      return async () => {
        awaitedMs = await timed(5);
      };
    },
  };
  const begun = performance.now();
  const { nanoseconds } = await measure(prepared, times(1), never);
  const wholeMs = performance.now() - begun;
  assert.ok(nanoseconds / 1e6 >= awaitedMs, `${nanoseconds} ns, awaited ${awaitedMs} ms`);
  assert.ok(nanoseconds / 1e6 <= wholeMs - preparedMs, `${nanoseconds} ns of ${wholeMs} ms`);
});

/** @returns how long the pause has lasted in fact. */
async function timed(milliseconds: number): Promise<number> {
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return performance.now() - begun;
}

test('bytes on the heap are counted, also those that were collected in between', async () => {
  // An array of 1000 numbers has 8 bytes for each and a small header; 160 MB need many collections.
  const arrays = pureBenchmark(
    'Arrays',
    [1],
    (value) => new Array<number>(1000).fill(value).length,
  );
  const { bytes, operations } = await measure(arrays, times(20_000), never);
  const each = bytes / operations;
  assert.ok(each > 7900 && each < 8300, `${each} bytes`);

  const none = pureBenchmark('None', [1, 2], (value) => value);
  const measured = await measure(none, times(1_000_000), never);
  assert.ok(measured.bytes / measured.operations < 1, `${measured.bytes} bytes`);
});

test('a line has the columns of Go, and what benchstat would read in it', () => {
  const benchmark = { name: 'One', prepare: () => () => undefined };
  const line = (nanoseconds: number, operations: number, bytes = 0, requests = 1): string =>
    formatLine({ ...benchmark, requests }, 20, { operations, nanoseconds, bytes });
  assert.match(line(1e6, 100), /^BenchmarkOne\S* +\t {5}100\t {5}10000 ns\/op\t {7}0 B\/op\n$/);
  for (const [nanoseconds, text] of [
    [1234.4, '1234'],
    [999.96, '1000'],
    [123.456, '123.5'],
    [99.996, '100.0'],
    [12.3456, '12.35'],
    [1.23456, '1.235'],
    [0.123456, '0.1235'],
    [0, '0'],
  ] as const) {
    assert.ok(line(nanoseconds, 1).includes(` ${text} ns/op`), `${line(nanoseconds, 1)} ${text}`);
  }
  const [result] = parseResults(line(64e3, 2, 3001, 32)).results;
  assert.deepEqual(
    [...result!.values],
    [
      ['ns/op', 32000],
      ['ns/request', 1000],
      ['B/op', 1501],
    ],
  );
});

test('the header names system, processor and package as Go does', () => {
  const { keys } = parseResults(`${formatHeader()}BenchmarkX 1 1 ns/op\n`).results[0]!;
  const { stdout } = spawnSync('go', ['env', 'GOOS', 'GOARCH'], { encoding: 'utf8' });
  // Where there is no Go: what the service runs on is called the same, but for one processor.
  const expected = stdout?.trim().split('\n') ?? [platform(), arch().replace('x64', 'amd64')];
  assert.deepEqual([keys.get('goos'), keys.get('goarch')], expected);
  assert.equal(keys.get('pkg'), 'task-manager-api');
});

test('a benchmark that fails is named once, and the others are measured', async () => {
  let text = '';
  const broken: Benchmark = {
    name: 'Broken',
    prepare: () => () => Promise.reject(new Error('the reason')),
  };
  const works = pureBenchmark('Works', [1], (value) => value);
  const options = { first: 1, count: 3, benchtime: times(2), shuffle: 1 };
  const write = (part: string): void => {
    text += part;
  };
  const run = () => runRounds([broken, works], options, write, never);
  assert.equal(await withFrame(write, run), false);
  assert.match(text, /--- FAIL: BenchmarkBroken\S*\n {4}the reason\n/);
  assert.equal(text.split('the reason').length, 2);
  const { results } = parseResults(text);
  assert.equal(results.filter(({ name }) => name.startsWith('Works')).length, 3);
  assert.match(text, /\nFAIL\t\S+\t\d+\.\d{3}s\n$/);
});

test('an interruption ends the run at the next measurement', async () => {
  const interruption = new AbortController();
  const lines: string[] = [];
  const one = pureBenchmark('One', [1], (value) => value);
  await assert.rejects(
    runRounds(
      [one],
      { first: 1, count: 1000, benchtime: times(1), shuffle: null },
      (line) => {
        lines.push(line);
        if (lines.length === 3) interruption.abort(new Error('interrupted'));
      },
      interruption.signal,
    ),
    /^Error: interrupted$/,
  );
  assert.equal(lines.length, 3);
});

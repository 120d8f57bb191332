import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareResults, geomeanOf } from '../../perf/micro/benchstat/compare.ts';
import { medianInterval, summarize } from '../../perf/micro/benchstat/median.ts';
import { parseResults } from '../../perf/micro/benchstat/parse.ts';
import { formatTables } from '../../perf/micro/benchstat/table.ts';
import { compareSamples } from '../../perf/micro/benchstat/u-test.ts';

const program = fileURLToPath(new URL('../../perf/micro/benchstat/main.js', import.meta.url));

function near(actual: number, expected: number, tolerance = 1e-9): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

/** The largest significant U, as in published tables. */
function criticalU(size: number, other: number, alpha: number): number {
  let critical = -1;
  for (let u = 0; u <= (size * other) / 2; u++) {
    if (pOfU(size, other, u) <= alpha) critical = u;
  }
  return critical;
}

/** The p of two samples without ties that have this U. */
function pOfU(size: number, other: number, u: number): number {
  // Each value of the first sample is above as many of the second as U still needs.
  const above = Array.from({ length: size }, (_, place) =>
    Math.min(other, Math.max(0, u - place * other)),
  );
  const second = Array.from({ length: other }, (_, place) => 100 * (place + 1));
  const first = above.map((count, place) => 100 * count + 50 - place / 10);
  const compared = compareSamples(first, second);
  assert.equal(compared.u, u);
  return compared.p;
}

test('critical values of U are those of the tables for 5 % and 1 %, two-sided', () => {
  const fivePercent: readonly [number, number, number][] = [
    [4, 4, 0],
    [5, 5, 2],
    [5, 8, 6],
    [6, 6, 5],
    [7, 9, 12],
    [8, 8, 13],
    [10, 10, 23],
    [12, 15, 49],
    [20, 20, 127],
  ];
  for (const [size, other, u] of fivePercent) assert.equal(criticalU(size, other, 0.05), u);
  const onePercent: readonly [number, number, number][] = [
    [5, 5, 0],
    [8, 8, 7],
    [10, 10, 16],
    [20, 20, 105],
  ];
  for (const [size, other, u] of onePercent) assert.equal(criticalU(size, other, 0.01), u);
  assert.equal(criticalU(3, 3, 0.05), -1, 'three of each can never tell');
});

test('the exact probability of small samples is what counting by hand gives', () => {
  // All of the first below all of the second: one of C(8, 4) = 70 choices, on each of two sides.
  near(compareSamples([1, 2, 3, 4], [5, 6, 7, 8]).p, 2 / 70);
  near(compareSamples([5, 6, 7, 8], [1, 2, 3, 4]).p, 2 / 70);
  // U = 1 and U = 0 on each side.
  near(compareSamples([1, 2, 3, 5], [4, 6, 7, 8]).p, 4 / 70);
  near(compareSamples([1], [2]).p, 1);
  // With ties: of the six choices of two of {1, 1, 2, 3}, one has both ones.
  near(compareSamples([1, 1], [2, 3]).p, 2 / 6);
  assert.deepEqual(compareSamples([7, 7, 7], [7, 7, 7]), { u: 4.5, p: 1 });
});

test('the probability with equal values is that of every way to choose the first sample', () => {
  const samples: readonly [number[], number[]][] = [
    [
      [1, 1, 2, 3, 3],
      [2, 3, 3, 4],
    ],
    [
      [5, 5, 5, 1],
      [5, 5, 6, 7, 7, 1],
    ],
  ];
  for (const [first, second] of samples)
    near(compareSamples(first, second).p, byHand(first, second));
});

/** Enumerates every choice of the first sample. */
function byHand(first: readonly number[], second: readonly number[]): number {
  const all = [...first, ...second];
  const uOf = (chosen: readonly number[], rest: readonly number[]): number =>
    chosen.reduce(
      (sum, value) =>
        sum +
        rest.reduce((part, other) => part + (value > other ? 1 : value === other ? 0.5 : 0), 0),
      0,
    );
  const observed = uOf(first, second);
  const extreme = Math.min(observed, first.length * second.length - observed);
  let beyond = 0;
  let ways = 0;
  for (let mask = 0; mask < 2 ** all.length; mask++) {
    const chosen = all.filter((_, place) => (mask >> place) % 2 === 1);
    if (chosen.length !== first.length) continue;
    const rest = all.filter((_, place) => (mask >> place) % 2 === 0);
    ways++;
    if (uOf(chosen, rest) <= extreme) beyond++;
  }
  return Math.min(1, (2 * beyond) / ways);
}

test('large samples go by the normal distribution, and agree about with counting', () => {
  const size = 51;
  const first = Array.from({ length: size }, (_, place) => place * 2);
  for (const shift of [1, 9, 21, 41]) {
    const second = first.map((value) => value + shift);
    const exact = compareSamples(first.slice(1), second.slice(1)).p;
    const approximate = compareSamples(first, second).p;
    near(approximate, exact, 0.02);
  }
});

test('the interval of a median is that of the tables of the sign test, from six values on', () => {
  assert.deepEqual(medianInterval(5), { low: 0, high: 5 });
  assert.deepEqual(medianInterval(6), { low: 1, high: 6 });
  const size10 = medianInterval(10);
  assert.ok(size10.low >= 2 && size10.high <= 9);
  for (let size = 6; size <= 60; size++) {
    const { low, high } = medianInterval(size);
    assert.ok(coverage(size, low, high) >= 0.95, `${size} values`);
    assert.ok(coverage(size, low + 1, high) < 0.95 || coverage(size, low, high - 1) < 0.95);
  }
});

/** The probability of the gaps from the low-th value to the high-th. */
function coverage(size: number, low: number, high: number): number {
  let sum = 0;
  for (let gap = low, choose = 1; gap < high; gap++) {
    choose = 1;
    for (let k = 1; k <= gap; k++) choose = (choose * (size - k + 1)) / k;
    sum += choose / 2 ** size;
  }
  return sum;
}

test('a sample that is too small has a median and no interval', () => {
  assert.deepEqual(summarize([3, 1]), { median: 2, low: -Infinity, high: Infinity });
  const one = summarize([7]);
  assert.equal(one.median, 7);
  assert.ok(one.low === -Infinity || one.high === Infinity);
});

test('a geometric mean is of what is above zero only', () => {
  near(geomeanOf([1, 4, 16])!, 4);
  assert.equal(geomeanOf([]), undefined);
  assert.equal(geomeanOf([1, 0]), undefined);
});

test('keys hold from their line on, remarks are passed over, a broken result is named', () => {
  const { results, faults } = parseResults(
    [
      'goos: linux',
      'note: first',
      '# a remark: with a colon',
      'Upper: no key',
      'BenchmarkOne-2   \t 100\t  12.5 ns/op\t 3 B/op',
      'note:',
      'BenchmarkOne/sub=1-2 7 1e3 ns/op',
      'BenchmarkNameAlone',
      'BenchmarkBroken-2 many 1 ns/op',
      'BenchmarkBroken-2 1 1',
      'PASS',
      'ok  \tpackage\t1.2s',
    ].join('\n'),
  );
  assert.deepEqual(
    results.map(({ name, operations, values, keys }) => [name, operations, [...values], [...keys]]),
    [
      [
        'One-2',
        100,
        [
          ['ns/op', 12.5],
          ['B/op', 3],
        ],
        [
          ['goos', 'linux'],
          ['note', 'first'],
        ],
      ],
      ['One/sub=1-2', 7, [['ns/op', 1000]], [['goos', 'linux']]],
    ],
  );
  assert.equal(faults.length, 2);
  assert.match(faults[0]!, /^line 9: /);
});

const lines = (name: string, values: readonly number[], unit = 'ns/op'): string =>
  values.map((value) => `Benchmark${name}-2\t1\t${value} ${unit}\n`).join('');
const older = [100, 101, 102, 103, 104, 105];

test('a difference is called one only where chance would seldom make it', () => {
  const faster = older.map((value) => value / 2);
  const old = parseResults(lines('Faster', older) + lines('Same', older) + lines('Gone', older));
  const next = parseResults(
    lines('Faster', faster) + lines('Same', older.toReversed()) + lines('New', older),
  );
  const [table] = compareResults(old.results, next.results);
  const row = (name: string) => table!.rows.find((each) => each.name === `${name}-2`)!;
  assert.deepEqual(row('Faster').difference?.isDifferent, true);
  near(row('Faster').difference!.p, 2 / 924);
  assert.equal(row('Same').difference?.isDifferent, false);
  assert.equal(row('Gone').difference, undefined);
  near(table!.geomean.ratio!, Math.sqrt(1 / 2));

  const text = formatTables([table!], { old: 'a', new: 'b' });
  assert.match(text, /^Faster-2 +102\.5ns ± 2% +51\.25ns ± 2% +-50\.00% \(p=0\.002 n=6\)$/m);
  assert.match(text, /^Same-2 .* ~ \(p=1\.000 n=6\)$/m);
  assert.match(text, /^geomean .* -29\.29%$/m);
});

test('the program says that it computed by itself, and refuses what it cannot compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'benchstat-'));
  try {
    const [old, next, empty] = ['old.txt', 'new.txt', 'empty.txt'].map((name) =>
      join(folder, name),
    );
    writeFileSync(old!, `goos: linux\n${lines('One', older)}`);
    writeFileSync(next!, `goos: darwin\n${lines('One', older)}`);
    writeFileSync(empty!, 'nothing\n');
    const compare = (...args: string[]) =>
      spawnSync(process.execPath, [program, '-own', ...args], { encoding: 'utf8' });

    const compared = compare(old!, next!);
    assert.equal(compared.status, 0, compared.stderr);
    assert.match(compared.stdout, /^# by this repository's own statistics/);
    assert.match(compared.stderr, /goos is not the same/);
    assert.match(compare(old!, empty!).stderr, /empty\.txt has no benchmark results/);
    assert.equal(compare(old!, join(folder, 'absent.txt')).status, 1);
    assert.equal(compare(old!).status, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPairs, type Runtime } from '../../perf/bench/pairs.ts';
import { newToOld, type PairSamples, pairsReport } from '../../perf/bench/pairs-report.ts';
import type { Options } from '../../perf/support/options.ts';
import { closed, open } from '../support/bench-samples.ts';

const nothing: PairSamples = { closed: [], open: [], starts: [] };

function report(samples: PairSamples, missing: Parameters<typeof pairsReport>[3] = []): string {
  const options = { rounds: 3, seconds: 2, warmupSeconds: 1 } as Options;
  return pairsReport([{ label: 'old', value: 'Node 20' }], options, samples, missing);
}

test('a runtime is installed before it is looked for, and named as it says itself', () => {
  const calls: string[] = [];
  const runtime: Runtime = (command, build) => {
    calls.push(`${command} ${build}`);
    return { ok: true, text: command === 'which' ? `/node-for-${build}` : 'Using …' };
  };
  const { pairs, missing } = findPairs(runtime, (node, build) => `${node} with ${build}`);
  assert.deepEqual(calls, ['install 2023', 'which 2023', 'install current', 'which current']);
  assert.deepEqual(missing, []);
  assert.deepEqual(pairs, [
    { name: 'old', build: '2023', node: '/node-for-2023', title: '/node-for-2023 with 2023' },
    {
      ...{ name: 'new', build: 'current', node: '/node-for-current' },
      title: '/node-for-current with current',
    },
  ]);
});

test('a runtime that does not load here is missing, with the reason', () => {
  const runtime: Runtime = (_, build) =>
    build === 'current' ? { ok: false, text: 'needs GLIBC_2.38' } : { ok: true, text: '/node' };
  const { pairs, missing } = findPairs(runtime, () => 'Node 20');
  assert.deepEqual(
    pairs.map(({ name }) => name),
    ['old'],
  );
  assert.equal(missing.length, 1);
  assert.match(missing[0]!.what, /new.*UWS_BUILD=current/);
  assert.match(report(nothing, missing), /## Missing\n\n- new .*: needs GLIBC_2\.38/);
});

test('new to old is a ratio within a round; a round with one of them gives none', () => {
  const told = (subject: string, round: number, value: number) => ({ subject, round, value });
  const values = [told('old', 0, 40), told('new', 0, 20), told('new', 1, 90), told('old', 2, 10)];
  assert.deepEqual(newToOld([...values, told('new', 2, 20)]), { median: 1.25, min: 0.5, max: 2 });
  assert.equal(newToOld([told('new', 0, 1)]), undefined);
});

test('the table has old beside new, the rate of the open loop and the starts', () => {
  const text = report({
    closed: [
      ...[closed('old', 0, 40_000), closed('old', 1, 20_000)],
      ...[closed('new', 0, 44_000), closed('new', 1, 24_000)],
    ],
    open: [open('old', 1000, 1000, 300), open('new', 1000, 900, 300)],
    starts: [
      { round: 0, subject: 'old', ms: 800 },
      { round: 0, subject: 'new', ms: 400 },
    ],
  });
  for (const line of [
    '| 64 connections | requests/s | 30 000 (20 000..40 000) | 34 000 (24 000..44 000) | 1.15 (1.10..1.20) |',
    '| 64 connections | CPU µs/request of the service | 18.8 (12.5..25.0) | 16.1 (11.4..20.8) | 0.87 (0.83..0.91) |',
    '| 64 connections | client, cores | 0.20 (0.20..0.20) | 0.20 (0.20..0.20) | 1.00 (1.00..1.00) |',
    '| 64 connections | resident memory, MiB | 200 (200..200) | 200 (200..200) | 1.00 (1.00..1.00) |',
    '| open loop, 1 000/s | p99 µs | 300 (300..300) | 300 (300..300) | 1.00 (1.00..1.00) |',
    '| open loop, 1 000/s | rounds that held the rate | 1 of 1 | 0 of 1 | – |',
    '| process start | first answer, ms | 800 (800..800) | 400 (400..400) | 0.50 (0.50..0.50) |',
    'lent to other guests: median 0.0 %',
  ]) {
    assert.ok(text.includes(line), `${line}\nis not in\n${text}`);
  }
  assert.ok(!text.includes('POST'));
});

test('what one runtime did not give leaves its column empty', () => {
  const text = report({ ...nothing, closed: [closed('old', 0, 40_000)] });
  assert.ok(text.includes('| 64 connections | requests/s | 40 000 (40 000..40 000) | – | – |'));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { acceptance } from '../../perf/bench/acceptance.ts';
import { type Answer, differenceBetween } from '../../perf/bench/check.ts';
import { ratioTo } from '../../perf/bench/compare-samples.ts';
import { plot } from '../../perf/bench/plot.ts';
import { report } from '../../perf/bench/report.ts';
import type { BenchSamples } from '../../perf/bench/samples.ts';
import { createScenario, type ScenarioName, scenarioNames } from '../../perf/load/scenarios.ts';
import { createRequestFiles } from '../../perf/load/wrk/run.ts';
import type { Options } from '../../perf/support/options.ts';
import { closed, open } from '../support/bench-samples.ts';

const nothing: BenchSamples = { closed: [], open: [], limits: [], startMs: [] };

test('a ratio is made within a round, so that a slow round cancels out', () => {
  const ours = [closed('ours', 0, 40_000), closed('ours', 1, 20_000)];
  const theirs = [closed('bun', 0, 20_000), closed('bun', 1, 10_000)];
  assert.deepEqual(
    ratioTo(ours, theirs, ({ rate }) => rate),
    { median: 2, min: 2, max: 2 },
  );
  assert.equal(
    ratioTo(ours, [], ({ rate }) => rate),
    undefined,
  );
});

test('a line of the acceptance is reached or not by its median, and absent where nothing was measured', () => {
  assert.deepEqual(acceptance(nothing), []);
  const rates = [41_000, 39_000, 45_000];
  const samples: BenchSamples = {
    ...nothing,
    closed: rates.flatMap((rate, round) => [
      closed('ours', round, rate),
      closed('fastify-pg', round, 10_000),
      closed('go-gin-pgx', round, 20_000),
    ]),
    startMs: [900, 1100, 950],
  };
  const lines = acceptance(samples);
  const find = (text: string) => lines.find(({ what }) => what.includes(text));
  assert.equal(find('Fastify + pg')?.reached, true);
  assert.equal(find('Gin')?.reached, false);
  assert.equal(find('start')?.got.median, 950);
  assert.equal(find('memory')?.reached, true);
  assert.equal(find('pgbench'), undefined);
});

test('a peer that cannot hold the rate of the open loop is no measure of our tail', () => {
  const samples: BenchSamples = {
    ...nothing,
    open: [
      open('ours', 1000, 1000, 300),
      open('bun', 1000, 400, 100),
      open('express-pg', 1000, 990, 900),
    ],
  };
  const line = acceptance(samples).find(({ what }) => what.includes('hold this rate'));
  assert.equal(line?.got.median, 300 / 900);
});

test('table and plot name every subject, a busy client and what is missing', () => {
  const busy = { cpuSeconds: { service: 1, postgres: 0.5, client: 1.9 } };
  const samples: BenchSamples = {
    closed: [closed('ours', 0, 40_000), closed('bun', 0, 30_000, busy)],
    open: [open('ours', 20_000, 20_000, 500)],
    limits: [{ round: 0, limit: 'loopback', unit: 'requests', rate: 1000, p50Us: 10, cpuUs: null }],
    startMs: [500],
  };
  const options = { rounds: 1, seconds: 2, warmupSeconds: 1 } as Options;
  const missing = [{ what: 'Go: Gin + pgx', reason: 'Go is not installed' }];
  const text = report([{ label: 'date', value: 'today' }], options, samples, missing, 'x.svg');
  for (const part of [
    'this service',
    'Bun.serve',
    '95 %, the limit itself',
    'Go is not installed',
    'loopback',
  ]) {
    assert.ok(text.includes(part), part);
  }
  const picture = plot(samples);
  assert.equal(picture.match(/<rect /g)?.length, 3);
  assert.ok(picture.includes('40 000') && picture.includes('30 000'));
});

test('a peer is told by what it answers otherwise', () => {
  const answer = (body: unknown): Answer => ({
    question: 'GET /1',
    status: 200,
    location: false,
    body,
  });
  assert.equal(differenceBetween([answer({ a: 1 })], [answer({ a: 1 })]), null);
  assert.match(differenceBetween([answer({ a: 2 })], [answer({ a: 1 })])!, /GET \/1.*in place of/);
  assert.notEqual(differenceBetween([], [answer(null)]), null);
});

test('every scenario makes whole requests', () => {
  for (const name of scenarioNames) {
    const doomed = { count: 1000, gone: 0 };
    const { requests, expected } = createScenario(name, '127.0.0.1', 1, doomed);
    assert.equal(requests.length, expected.length);
    for (const request of requests.slice(0, 100)) {
      const [head, body] = request.toString().split('\r\n\r\n') as [string, string];
      const length = /content-length: (\d+)/i.exec(head)?.[1] ?? '0';
      assert.equal(Buffer.byteLength(body), Number(length), name);
    }
  }
});

test('each task is deleted once, and a later run goes on where the first stopped', () => {
  const ids = (gone: number): number[] =>
    createScenario('delete', 'h', 1, { count: 1000, gone }).requests.map((request) =>
      Number(/tasks\/(\d+)/.exec(request.toString())![1]),
    );
  const all = ids(0);
  assert.equal(new Set(all).size, 1000);
  assert.ok(all.every((id) => id > 1_000_000 && id <= 1_001_000));
  assert.deepEqual(ids(400), all.slice(400));
});

test('the frequent ids of Zipf’s law come often, and the rest at all', () => {
  const counts = new Map<string, number>();
  for (const request of createScenario('zipf', 'h', 1).requests) {
    const line = request.toString().split('\r\n', 1)[0]!;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const sorted = [...counts.values()].toSorted((a, b) => b - a);
  const total = sorted.reduce((sum, count) => sum + count, 0);
  assert.ok(sorted[0]! / total > 0.03 && sorted[0]! / total < 0.1);
  assert.ok(sorted.length > 30_000);
});

test('wrk gets the requests that our own generator would send', () => {
  const files = createRequestFiles();
  try {
    for (const name of ['post', 'list'] satisfies ScenarioName[]) {
      const bytes = readFileSync(files.of(name, 3, { count: 0, gone: 0 }));
      const { requests } = createScenario(name, '127.0.0.1', 3);
      let at = 0;
      for (const request of requests) {
        const length = Number(bytes.toString('latin1', at, at + 6));
        assert.deepEqual(bytes.subarray(at + 6, at + 6 + length), request);
        at += 6 + length;
      }
      assert.equal(at, bytes.length);
    }
  } finally {
    files.remove();
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { isAlive } from '../../src/embedded/processes.ts';
import { makeMetricFolder } from '../../src/telemetry/metrics/folder.ts';
import {
  createFrontEndLayout,
  latencyBounds,
} from '../../src/telemetry/metrics/front-end-layout.ts';
import { createLayoutBuilder, observe } from '../../src/telemetry/metrics/layout.ts';
import { render } from '../../src/telemetry/metrics/render.ts';
import { createRequestRecorder } from '../../src/telemetry/metrics/request-recorder.ts';
import { takeSnapshots } from '../../src/telemetry/metrics/snapshots.ts';
import { metricFile, openMetricStore, readNumbers } from '../../src/telemetry/metrics/store.ts';
import { numbersPerThread, threadSlots } from '../../src/telemetry/metrics/thread-layout.ts';
import {
  claimRegion,
  createThreadRegions,
  freeRegions,
} from '../../src/telemetry/metrics/thread-regions.ts';
import { eventually } from '../support/service.ts';

const folder = mkdtempSync(join(tmpdir(), 'metrics-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const listener = { onFailure: fail, onRecovery: () => undefined };

function fail(error: unknown): never {
  throw error;
}

test('the numbers of a layout do not overlap and leave no gap', () => {
  const { families, size, heartbeat } = createFrontEndLayout(2);
  const owners = new Array<string | undefined>(size);
  owners[heartbeat] = 'heartbeat';
  for (const { name, type, bounds, series } of families) {
    for (const { slot } of series) {
      const width = type === 'histogram' ? bounds.length + 2 : 1;
      for (let place = slot; place < slot + width; place++) {
        assert.equal(owners[place], undefined, `${name} stands where ${owners[place]} does`);
        owners[place] = name;
      }
    }
  }
  assert.equal(owners.indexOf(undefined), -1);
});

test('the distances of a thread are those of its families', () => {
  const { families, mainThread } = createFrontEndLayout(1);
  const slotOf = (name: string, kind?: string): number =>
    families
      .find((family) => family.name === name)!
      .series.find(({ labels }) => labels['thread'] === 'main' && labels['kind'] === kind)!.slot;
  assert.equal(slotOf('thread_cpu_seconds_total'), mainThread + threadSlots.cpuSeconds);
  assert.equal(slotOf('event_loop_active_seconds_total'), mainThread + threadSlots.activeSeconds);
  assert.equal(slotOf('heap_used_bytes'), mainThread + threadSlots.heapUsedBytes);
  assert.equal(slotOf('heap_size_bytes'), mainThread + threadSlots.heapTotalBytes);
  assert.equal(slotOf('external_memory_bytes'), mainThread + threadSlots.externalBytes);
  assert.equal(slotOf('event_loop_delay_seconds'), mainThread + threadSlots.delay);
  assert.equal(slotOf('gc_pause_seconds', 'minor'), mainThread + threadSlots.pauses);
});

test('a bucket has what is not above its bound', () => {
  const bounds = [1, 2, 4];
  const numbers = new Float64Array(5);
  for (const value of [0, 1, 1.5, 2, 4, 4.01, 100]) observe(numbers, 0, bounds, value);
  assert.deepEqual([...numbers], [2, 2, 1, 2, 112.51]);
});

test('the bounds of latencies go from 100 µs to 10 s, none more than twice the one before', () => {
  assert.deepEqual([latencyBounds[0], latencyBounds.at(-1)], [0.0001, 10]);
  for (let place = 1; place < latencyBounds.length; place++) {
    const ratio = latencyBounds[place]! / latencyBounds[place - 1]!;
    assert.ok(ratio > 1 && ratio <= 1.67, String(latencyBounds[place]));
    assert.ok(String(latencyBounds[place]).length <= 7);
  }
});

test('a process that opens the same file counts on, and what was answered is in it at once', async () => {
  const layout = createFrontEndLayout(1);
  const file = metricFile(folder, 1);
  const first = openMetricStore(file, layout.size, listener);
  const requests = createRequestRecorder(layout.requests, first);
  const series = requests.seriesOf('/api/tasks/:id', 'GET');
  requests.answered(series, 200, 0.0002);
  requests.answered(series, 299, 20);
  requests.aborted(series);
  // One write for all responses of a batch, after the function that sent them has returned.
  assert.equal(readNumbers(file, layout.size)![series], 0);
  await Promise.resolve();
  const read = readNumbers(file, layout.size)!;
  assert.equal(read[series], 1);
  assert.equal(read[series + layout.requests.otherStatus], 1);
  assert.equal(read[series + layout.requests.aborted], 1);
  // Soon after a write, the next one is that of the whole turn of the event loop.
  requests.answered(series, 299, 20);
  await Promise.resolve();
  await endOfTurn();
  assert.equal(readNumbers(file, layout.size)![series + layout.requests.otherStatus], 2);
  // As after a kill: not closed.
  const second = openMetricStore(file, layout.size, listener);
  createRequestRecorder(layout.requests, second).answered(series, 200, 0.0002);
  second.close();
  assert.equal(readNumbers(file, layout.size)![series], 2);
  first.close();
});

test('methods that nobody knows are one series, paths that nobody knows are one route', () => {
  const layout = createFrontEndLayout(1);
  const store = openMetricStore(metricFile(folder, 2), layout.size, listener);
  const requests = createRequestRecorder(layout.requests, store);
  assert.equal(requests.unmatched('BREW'), requests.unmatched('WHEN'));
  assert.notEqual(requests.unmatched('GET'), requests.unmatched('BREW'));
  store.close();
});

test('a file that cannot be written is told of once, and so is that it can again; no count is lost', () => {
  const said: string[] = [];
  const store = openMetricStore(join(folder, 'later', 'front-end'), 4, {
    onFailure: (error) => said.push(String((error as NodeJS.ErrnoException).code)),
    onRecovery: () => said.push('again'),
  });
  for (let count = 0; count < 3; count++) {
    store.numbers[0]!++;
    store.touch(0, 1);
    store.write();
  }
  assert.deepEqual(said, ['ENOENT']);
  mkdirSync(join(folder, 'later'));
  store.write();
  assert.deepEqual(said, ['ENOENT', 'again']);
  assert.equal(readNumbers(join(folder, 'later', 'front-end'), 4)![0], 3);
  store.close();
});

test('half a file is none', () => {
  const half = metricFile(folder, 3);
  writeFileSync(half, Buffer.alloc(12));
  assert.equal(readNumbers(half, 4), undefined);
});

test('processes are added up, or told apart; what one that hangs says of the present is left out', async () => {
  const layout = createLayoutBuilder();
  const count = layout
    .family({ name: 'things_total', help: 'Things.', type: 'counter', labelNames: ['kind'] })
    .add('a "quoted"\nkind');
  const depth = layout.family({ name: 'depth', help: 'D.', type: 'gauge', labelNames: [] }).add();
  const own = layout
    .family({ name: 'own_bytes', help: 'O.', type: 'gauge', labelNames: [], perProcess: true })
    .add();
  const time = layout
    .family({
      name: 'time_seconds',
      help: 'T.',
      type: 'histogram',
      labelNames: [],
      bounds: [0.1, 1],
    })
    .add();
  const families = layout.families();
  const numbersOf = (things: number): Float64Array => {
    const numbers = new Float64Array(layout.size());
    numbers[count] = things;
    numbers[depth] = 3;
    numbers[own] = things * 10;
    observe(numbers, time, [0.1, 1], 0.5);
    return numbers;
  };
  const snapshots = takeSnapshots([
    { name: 'one', families, numbers: numbersOf(1), isLive: true },
    { name: 'two', families, numbers: numbersOf(2), isLive: false },
  ]);
  const plain = await render(snapshots, '*/*');
  assert.match(plain.contentType, /^text\/plain/);
  const lines = plain.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(
    lines,
    [
      'own_bytes{process="one"} 10',
      'things_total{kind="a \\"quoted\\"\\nkind"} 3',
      'depth 3',
      'time_seconds_bucket{le="0.1"} 0',
      'time_seconds_bucket{le="1"} 2',
      'time_seconds_bucket{le="+Inf"} 2',
      'time_seconds_sum 1',
      'time_seconds_count 2',
    ].sort((one, other) => order(snapshots, one) - order(snapshots, other)),
  );
  const open = await render(snapshots, 'application/openmetrics-text;version=1.0.0');
  assert.match(open.body, /# TYPE things counter\nthings_total\{/);
});

/** Families keep their order of creation. */
function order(snapshots: ReturnType<typeof takeSnapshots>, line: string): number {
  return snapshots.findIndex(({ name }) => line.startsWith(name));
}

test('a thread takes a region that nobody has, and counts on where a dead one stopped', () => {
  const regions = createThreadRegions(1);
  const first = claimRegion(regions, 7)!;
  first[threadSlots.cpuSeconds] = 5;
  first[threadSlots.heapUsedBytes] = 1000;
  assert.equal(first.length, numbersPerThread);
  assert.notEqual(claimRegion(regions, 8), undefined);
  assert.equal(claimRegion(regions, 9), undefined);
  freeRegions(regions, [8]);
  const next = claimRegion(regions, 9)!;
  assert.deepEqual([next[threadSlots.cpuSeconds], next[threadSlots.heapUsedBytes]], [5, 0]);
  assert.equal(claimRegion(regions, 10), undefined);
});

const skip = process.platform === 'linux' ? false : 'the dead that nobody has waited for: Linux';

test('what a primary has left that is dead is removed, also where nobody has waited for it', {
  skip,
}, async () => {
  // Before its child ends, the shell becomes a program that does not wait for children.
  const parent = spawn('sh', ['-c', 'sleep 2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(String(said));
    await eventually(
      () => /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
      'lives',
    );
    const own = makeMetricFolder(isAlive);
    const left = join(dirname(own.path), `tasks-metrics-${pid}-left`);
    const living = join(dirname(own.path), `tasks-metrics-${parent.pid}-living`);
    try {
      for (const path of [left, living]) mkdirSync(path);
      const next = makeMetricFolder(isAlive);
      assert.deepEqual([existsSync(left), existsSync(living)], [false, true]);
      next.remove();
    } finally {
      for (const path of [left, living]) rmSync(path, { recursive: true, force: true });
      own.remove();
    }
  } finally {
    parent.kill();
  }
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { subtractSamples } from '../../src/telemetry/pprof/delta.ts';
import { encodeCpuProfile } from '../../src/telemetry/pprof/encode-cpuprofile.ts';
import { encodePprof } from '../../src/telemetry/pprof/encode-pprof.ts';
import { encodeSpeedscope } from '../../src/telemetry/pprof/encode-speedscope.ts';
import { encodeText } from '../../src/telemetry/pprof/encode-text.ts';
import { mergeCpu, mergeSamples } from '../../src/telemetry/pprof/merge.ts';
import { type Profile, qualifiedName } from '../../src/telemetry/pprof/profile.ts';
import { recordCpu, reduceCpu } from '../../src/telemetry/pprof/record-cpu.ts';
import { heapIntervalBytes, objectsOf } from '../../src/telemetry/pprof/record-heap.ts';
import {
  emptyRecording,
  type ProcessRecording,
  type RawFrame,
  type ThreadRecording,
} from '../../src/telemetry/pprof/recording.ts';
import { createSources } from '../../src/telemetry/pprof/sources.ts';
import { root } from '../support/house.ts';
import { readPprof } from '../support/pprof.ts';

const ms = 1_000_000;
const sources = createSources();

function frame(name: string, url = '', line = -1, column = -1): RawFrame {
  return { name, url, line, column };
}

/**
 * root ▸ outer ▸ inner, and the collector. Self time: outer 10 ms, inner 30 ms, the collector 5 ms.
 */
function recording(more: Partial<ThreadRecording>): ThreadRecording {
  return {
    ...emptyRecording,
    nodes: [
      { parent: -1, frame: frame('(root)') },
      { parent: 0, frame: frame('outer') },
      { parent: 1, frame: frame('inner') },
      { parent: 0, frame: frame('(garbage collector)') },
    ],
    samples: [
      { node: 1, line: -1, values: [10, 10 * ms] },
      { node: 2, line: -1, values: [30, 30 * ms] },
      { node: 3, line: -1, values: [5, 5 * ms] },
    ],
    ...more,
  };
}

function process(threads: Record<string, ThreadRecording>): ProcessRecording {
  return { pid: 1, threads, missing: [] };
}

function sum(samples: Profile['samples'], place: number, thread?: string): number {
  return samples
    .filter((sample) => thread === undefined || sample.thread === thread)
    .reduce((total, { values }) => total + values[place]!, 0);
}

function profileOf(samples: Profile['samples']): Profile {
  return {
    types: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    samples,
    period: { type: 'cpu', unit: 'nanoseconds', value: ms },
    startedAt: new Date('2026-01-01T00:00:00Z'),
    durationMs: 1000,
    comments: ['a comment'],
  };
}

test('threads of several processes are merged with labels, and without the root', () => {
  const merged = mergeSamples(
    new Map([
      ['primary', process({ main: recording({}) })],
      ['frontend-1', process({ main: recording({}), 'worker-1': recording({}) })],
    ]),
    sources,
  );
  assert.deepEqual(
    [...new Set(merged.map(({ process, thread }) => `${process}/${thread}`))],
    ['primary/main', 'frontend-1/main', 'frontend-1/worker-1'],
  );
  const inner = merged.find(({ stack }) => stack[0]!.name === 'inner')!;
  assert.deepEqual(
    inner.stack.map(({ name }) => name),
    ['inner', 'outer'],
  );
  assert.equal(sum(merged, 1), 3 * 45 * ms);
});

test('samples are brought to the CPU time that the system has counted', () => {
  const busy = recording({ cpuNs: 90 * ms });
  const waiting = recording({ cpuNs: 9 * ms });
  const main = { ...busy, processCpuNs: 120 * ms };
  const merged = mergeCpu(
    new Map([['frontend-1', process({ main, 'worker-1': waiting })]]),
    sources,
    ms,
  );
  const native = merged.find(({ stack }) => stack[0]!.name === '[native]')!;
  assert.deepEqual([native.thread, native.values], ['main', [45, 45 * ms]]);
  assert.equal(Math.round(sum(merged, 1, 'main')), 90 * ms);
  assert.equal(Math.round(sum(merged, 1, 'worker-1')), 9 * ms);
  assert.equal(sum(merged, 1, 'helpers'), 21 * ms);
});

test('samples stay as they were seen without clocks', () => {
  const main = recording({ processCpuNs: 500 * ms });
  const merged = mergeCpu(new Map([['primary', process({ main })]]), sources, ms);
  assert.equal(sum(merged, 1), 45 * ms);
});

test('idle time does not count, and a look lasts until the next one', () => {
  const node = (id: number, functionName: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
    children,
  });
  const { samples, nodes } = reduceCpu({
    nodes: [
      node(1, '(root)', [2, 3]),
      node(2, '(idle)'),
      {
        ...node(3, 'work'),
        positionTicks: [
          { line: 7, ticks: 1 },
          { line: 9, ticks: 3 },
        ],
      },
    ],
    startTime: 1000,
    endTime: 2000,
    samples: [3, 2, 3],
    timeDeltas: [100, 200, 300],
  });
  // Work from 1100 to 1300 and from 1600 to 2000, by its lines.
  assert.deepEqual(
    samples.map(({ node: place, line, values }) => [nodes[place]!.frame.name, line, values]),
    [
      ['work', 6, [0.5, 150_000]],
      ['work', 8, [1.5, 450_000]],
    ],
  );
});

test('a place in a built file becomes the line and the name in TypeScript', () => {
  const file = 'src/http/router.ts';
  const built = join(root, 'dist/src/http/router.js');
  const script = readFileSync(built, 'utf8').split('\n');
  const line = script.findIndex((text) => text.startsWith('export function '));
  const name = /function (\w+)/.exec(script[line]!)![1]!;
  const column = script[line]!.indexOf('(');
  for (const url of [pathToFileURL(built).href, built]) {
    const found = sources.resolve(frame(name, url, line, column), line + 1);
    const text = readFileSync(join(root, file), 'utf8').split('\n');
    assert.equal(found.file, file);
    assert.match(text[found.startLine - 1]!, new RegExp(`export function ${name}\\b`));
    assert.equal(found.line > found.startLine, true);
    assert.equal(qualifiedName(found), `http/router.${name}`);
  }
});

test('packages, Node and what is no function have names of their own', () => {
  const url = pathToFileURL(join(root, 'node_modules/postgres/src/connection.js')).href;
  const cases: [RawFrame, string, string][] = [
    [
      frame('data', url, 3, 0),
      'postgres/connection.data',
      'node_modules/postgres/src/connection.js',
    ],
    [frame('listen', 'node:net', 3, 0), 'node:net.listen', 'node:net'],
    [frame('', 'node:net', 3, 9), 'node:net.[anonymous:4]', 'node:net'],
    [
      frame('', pathToFileURL('/elsewhere/node_modules/@a/b/lib/c.js').href, 0, 0),
      '@a/b/c.[module]',
      'node_modules/@a/b/lib/c.js',
    ],
    [frame('(program)'), '[native]', ''],
    [frame('(garbage collector)'), '[garbage collector]', ''],
    [frame('collect'), 'cork', ''],
    [frame('collect', 'node:net', 3, 0), 'node:net.collect', 'node:net'],
    // Names of Object.prototype's properties are ordinary names here.
    [frame('toString'), 'toString', ''],
    [frame('constructor'), 'constructor', ''],
  ];
  for (const [given, name, file] of cases) {
    const found = sources.resolve(given, -1);
    assert.deepEqual([qualifiedName(found), found.file], [name, file]);
  }
});

test('an encoded profile has the same samples when it is decoded', () => {
  const names = fc.constantFrom('a', 'b', 'ü', 'toString', '');
  const frames = fc.record({ name: names, file: names, startLine: fc.nat(9), line: fc.nat(9) });
  const samples = fc.record({
    stack: fc.array(frames, { minLength: 1, maxLength: 6 }),
    values: fc.tuple(fc.nat(2 ** 40), fc.nat(2 ** 50)),
    process: names,
    thread: names,
  });
  fc.assert(
    fc.property(fc.array(samples, { maxLength: 20 }), (given) => {
      const read = readPprof(encodePprof(profileOf(given)));
      assert.deepEqual(
        read.samples,
        given.map(({ stack, values, process, thread }) => ({
          functions: stack.map((found) => ({
            name: qualifiedName(found),
            file: found.file,
            startLine: found.startLine,
            line: found.line,
          })),
          values,
          labels: { process, thread },
        })),
      );
    }),
  );
  const empty = readPprof(encodePprof(profileOf([])));
  assert.deepEqual(empty, {
    types: ['samples/count', 'cpu/nanoseconds'],
    samples: [],
    comments: ['a comment'],
    defaultType: 'cpu',
    period: ms,
    durationNs: 1000 * ms,
  });
});

test('0x and DevTools get every thread under its process, with the time of the profile', () => {
  const recordings = new Map([
    ['primary', process({ main: recording({}) })],
    ['frontend-1', process({ main: recording({}), 'worker-1': recording({}) })],
  ]);
  const profile = profileOf(mergeSamples(recordings, sources));
  const encoded = JSON.parse(encodeCpuProfile(profile));
  // 0x draws from this; it is not exported.
  const toTree = createRequire(import.meta.url)('0x/lib/cpu-profile-to-tree.js');
  const tree = toTree(encoded).merged;
  assert.deepEqual(
    tree.children.map(({ name, children }: { name: string; children: { name: string }[] }) => [
      name,
      ...children.map((child) => child.name),
    ]),
    [
      ['primary', 'main'],
      ['frontend-1', 'main', 'worker-1'],
    ],
  );
  assert.equal(tree.value, 3 * 45_000);
  const { samples, timeDeltas, startTime, endTime } = encoded;
  assert.equal(samples.length, timeDeltas.length);
  const last = encoded.nodes.find(({ id }: { id: number }) => id === samples.at(-1)).hitCount;
  const spent = timeDeltas.reduce((total: number, delta: number) => total + delta, 0);
  assert.equal(startTime + spent + last, endTime);
  assert.equal(endTime - startTime, 3 * 45_000);
});

test('speedscope gets a profile for each thread', () => {
  const threads = { main: recording({}), 'worker-1': recording({}) };
  const profile = profileOf(mergeSamples(new Map([['frontend-1', process(threads)]]), sources));
  const encoded = JSON.parse(encodeSpeedscope(profile, 'profile'));
  assert.deepEqual(
    encoded.profiles.map(({ name, unit, endValue }: Record<string, unknown>) => [
      name,
      unit,
      endValue,
    ]),
    [
      ['frontend-1/main', 'nanoseconds', 45 * ms],
      ['frontend-1/worker-1', 'nanoseconds', 45 * ms],
    ],
  );
  const [stack] = encoded.profiles[0].samples.filter((places: number[]) => places.length === 2);
  assert.deepEqual(
    stack.map((place: number) => encoded.shared.frames[place].name),
    ['outer', 'inner'],
  );
});

test('the text shows the largest first', () => {
  const merged = mergeSamples(new Map([['primary', process({ main: recording({}) })]]), sources);
  const text = encodeText('profile', profileOf(merged));
  assert.match(
    text,
    /^profile profile: total samples 45 count, cpu 45000000 nanoseconds\n# a comment/,
  );
  assert.ok(text.indexOf('#\tinner') < text.indexOf('#\t[garbage collector]'));
});

test('the number of objects is read back from the bytes that V8 tells', () => {
  for (const size of [16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 104, 112, 120, 128]) {
    const count = Math.floor(1 / (1 - Math.exp(-size / heapIntervalBytes)) + 0.5);
    assert.equal(objectsOf(size * count), count, `of ${size} bytes`);
  }
  // Larger than the interval: each is sampled.
  assert.equal(objectsOf(4_637_048), 1);
});

test('a busy function is found in the profile of its own thread', async () => {
  // On busy cores, the start of the profiler may take most of a short recording.
  let share = 0;
  for (let attempt = 0; attempt < 20 && share <= 0.5; attempt++) share = await busyShare();
  assert.ok(share > 0.5, `${share} of what this thread did was that function`);
});

async function busyShare(): Promise<number> {
  const session = new Session();
  session.connect();
  const asked = { milliseconds: 400, intervalUs: 500 };
  const pending = recordCpu(session, asked, true, new AbortController().signal);
  await sleep(50);
  for (let round = 0; round < 5; round++) {
    spendTime(40);
    await sleep(5);
  }
  const found = await pending;
  session.disconnect();
  const merged = mergeCpu(new Map([['primary', process({ main: found })]]), createSources(), ms);
  const mine = merged.filter(({ stack }) => stack.some(({ name }) => name === 'spendTime'));
  const files = mine.flatMap(({ stack }) => stack).filter(({ name }) => name === 'spendTime');
  if (files.length > 0) assert.equal(files[0]!.file, 'test/unit/pprof.test.ts');
  // The two clocks are read one after the other.
  assert.ok(found.processCpuNs! >= found.cpuNs! * 0.5);
  return sum(mine, 1) / sum(merged, 1, 'main');
}

test('a recording that is broken off stops at once and another can begin', async () => {
  const session = new Session();
  session.connect();
  const controller = new AbortController();
  const asked = { milliseconds: 60_000, intervalUs: 1000 };
  const pending = recordCpu(session, asked, true, controller.signal);
  setTimeout(() => controller.abort(), 20);
  await assert.rejects(pending, { name: 'AbortError' });
  const again = { milliseconds: 20, intervalUs: 1000 };
  await recordCpu(session, again, true, new AbortController().signal);
  session.disconnect();
});

test('a difference has what came, what went as negative, and nothing that stayed', () => {
  const frame = (name: string) => ({ name, file: 'src/a.ts', startLine: 1, line: 2 });
  const at = (name: string, thread: string, ...values: number[]) => ({
    stack: [frame(name), frame('outer')],
    values,
    process: 'primary',
    thread,
  });
  const before = [at('stays', 'main', 1, 8), at('goes', 'main', 2, 16), at('grows', 'main', 1, 8)];
  const after = [
    at('stays', 'main', 1, 8),
    at('grows', 'main', 3, 24),
    // Two samples of one stack are merged.
    at('grows', 'main', 1, 8),
    at('grows', 'worker-1', 5, 40),
  ];
  const delta = subtractSamples(after, before);
  assert.deepEqual(
    delta.map(({ stack, values, thread }) => [stack[0]!.name, thread, ...values]),
    [
      ['grows', 'main', 3, 24],
      ['grows', 'worker-1', 5, 40],
      ['goes', 'main', -2, -16],
    ],
  );
  const types = [
    { type: 'inuse_objects', unit: 'count' },
    { type: 'inuse_space', unit: 'bytes' },
  ];
  const profile = { types, samples: delta, period: null, startedAt: new Date(), comments: [] };
  const read = readPprof(encodePprof({ ...profile, durationMs: 1000 }));
  assert.deepEqual(
    read.samples.map(({ values }) => values),
    [
      [3, 24],
      [5, 40],
      [-2, -16],
    ],
  );
});

function spendTime(milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let value = 0;
  while (performance.now() < end) value += Math.sqrt(value + 1);
  return value;
}

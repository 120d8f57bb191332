import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlamegraphOptions } from '../../perf/flamegraph/options.ts';
import { withoutStale } from '../../perf/flamegraph/perf-map.ts';
import { perfScriptToProfile } from '../../perf/flamegraph/perf-script.ts';
import { describeWidest, withinSize } from '../../perf/flamegraph/widest.ts';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly hitCount: number;
  readonly children: readonly number[];
}

/** The nodes of a profile by name. Each name must be unique. */
function nodesOf(profile: object): ReadonlyMap<string, Node> {
  const { nodes } = profile as { nodes: readonly Node[] };
  const byName = new Map(nodes.map((node) => [node.callFrame.functionName, node]));
  assert.equal(byName.size, nodes.length);
  return byName;
}

function node(id: number, functionName: string, hitCount: number, children: number[] = []): object {
  const callFrame = { functionName, scriptId: '0', url: '', lineNumber: 9, columnNumber: -1 };
  return { id, callFrame, hitCount, children };
}

test('options: what make gives, and refusals that say what was expected', () => {
  const usual = readFlamegraphOptions([]);
  assert.deepEqual(
    [usual.load, usual.seconds, usual.connections, usual.frontEnds, usual.name],
    ['get', 10, 64, 1, undefined],
  );
  const given = readFlamegraphOptions(['--load', 'mixed', '--offload', '0', '--name', 'mine']);
  assert.deepEqual([given.load, given.offloadMinBatch, given.name], ['mixed', 0, 'mine']);
  assert.match(given.title, /^mixed, 64 connections, 10 s, OFFLOAD_MIN_BATCH=0$/);

  assert.throws(
    () => readFlamegraphOptions(['--load', 'delete']),
    /LOAD: expected get, zipf, post, put/,
  );
  for (const text of ['0', '-1', '1.5', 'ten', '']) {
    assert.throws(() => readFlamegraphOptions([`--seconds=${text}`]), /--seconds: .* at least 1/);
  }
  assert.throws(() => readFlamegraphOptions(['--unknown']), /--unknown/);
});

test('the widest frames: of their own, and with what they call; who calls himself counts once', () => {
  const profile = {
    nodes: [
      node(1, '[root]', 0, [2]),
      node(2, 'outer', 10, [3, 5]),
      node(3, 'walk', 20, [4]),
      node(4, 'walk', 40),
      node(5, 'leaf', 30),
    ],
  };
  assert.deepEqual(describeWidest(JSON.stringify(profile)).split('\n'), [
    'widest of their own:',
    '  60.0 %  walk',
    '  30.0 %  leaf',
    '  10.0 %  outer',
    '   0.0 %  [root]',
    'widest with what they call:',
    ' 100.0 %  [root]',
    ' 100.0 %  outer',
    '  60.0 %  walk',
    '  30.0 %  leaf',
  ]);
});

test('what nobody can see is drawn with its caller, and no time is lost', () => {
  const profile = {
    nodes: [
      node(1, '[root]', 0, [2]),
      node(2, 'outer', 90_000, [3, 4]),
      node(3, 'wide', 9_990),
      node(4, 'narrow', 4, [5]),
      node(5, 'deep', 6),
    ],
  };
  const small = nodesOf(withinSize(JSON.stringify(profile)));
  assert.deepEqual([...small.keys()], ['[root]', 'outer', 'wide']);
  assert.deepEqual(small.get('outer')!.children, [3]);
  assert.equal(
    [...small.values()].reduce((sum, { hitCount }) => sum + hitCount, 0),
    100_000,
  );
  // 0x shows the number unchanged.
  assert.equal(small.get('outer')!.callFrame.lineNumber, 10);
});

test('what perf script prints becomes a tree of processes, threads and functions', () => {
  const script = `MainThread   100/100
\t    7f00aa uv__read+0x12 (/usr/bin/node)
\t    7f00bb JS:*send file:///srv/project/dist/src/batching/batcher.js:95:14 (/tmp/perf-100.map)
\t    7f00cc [unknown] (/usr/lib/libc.so.6)

MainThread   100/100
\t    7f00bb JS:*send file:///srv/project/dist/src/batching/batcher.js:95:14 (/tmp/perf-100.map)
\t    7f00cc [unknown] (/usr/lib/libc.so.6)

V8 Worker Th   100/103
\t ffffffff8100 do_syscall_64+0x5b ([kernel.kallsyms])

`;
  const nodes = nodesOf(JSON.parse(perfScriptToProfile(script)));
  const send = '*send dist/src/batching/batcher.js:95:14';
  const within = (caller: string): string[] =>
    nodes.get(caller)!.children.map((id) => [...nodes].find(([, found]) => found.id === id)![0]);
  assert.deepEqual(within('[root]'), ['process 100']);
  assert.deepEqual(within('process 100'), ['main thread of 100', 'V8 Worker Th 103']);
  assert.deepEqual(within('main thread of 100'), ['[libc.so.6]']);
  assert.deepEqual(within('[libc.so.6]'), [send]);
  assert.deepEqual(within(send), ['uv__read']);
  assert.deepEqual(within('V8 Worker Th 103'), ['do_syscall_64']);
  assert.deepEqual(
    ['uv__read', send, 'do_syscall_64', '[root]'].map((name) => nodes.get(name)!.hitCount),
    [1, 1, 1, 0],
  );
});

test('of two functions that were at the same place one after the other, perf sees the later one', () => {
  const map = ['a0 10 first', 'b0 20 second', '100 8 apart', 'b8 8 third', 'a0 10 fourth', ''];
  assert.equal(withoutStale(map.join('\n')), 'a0 10 fourth\nb8 8 third\n100 8 apart\n');
  assert.equal(withoutStale('a0 8 later\n90 20 wide\n'), '90 20 wide\n');
  assert.equal(withoutStale('90 20 wide\na0 8 inside\n'), 'a0 8 inside\n');
  assert.equal(withoutStale('a line that V8 was writing when it en'), '');
});

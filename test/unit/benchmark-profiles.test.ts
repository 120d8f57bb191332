import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { encodeMessage } from '../../perf/micro/profile/protobuf.ts';
import { nodesOfCpu, nodesOfHeap } from '../../perf/micro/profile/recording.ts';
import { createSources } from '../../perf/micro/profile/sources.ts';
import { root } from '../support/house.ts';

const frameOf = (functionName: string, url = '', lineNumber = 0, columnNumber = 0) => {
  return { functionName, scriptId: '1', url, lineNumber, columnNumber };
};

test('messages are encoded as the examples of the format have it', () => {
  const hex = (...fields: Parameters<typeof encodeMessage>[0]): string =>
    Buffer.from(encodeMessage(fields)).toString('hex');
  assert.equal(hex([1, 150]), '089601');
  assert.equal(hex([2, 'testing']), '120774657374696e67');
  assert.equal(hex([3, encodeMessage([[1, 150]])]), '1a03089601');
  assert.equal(hex([4, [3, 270, 86942]]), '2206038e029ea705');
  assert.equal(hex([1, 0], [2, 2n ** 63n - 1n]), '10ffffffffffffffff7f');
});

test('a place in a built file is the one in TypeScript', () => {
  const built = join(root, 'dist/src/contract/filter.js');
  const lineIn = (file: string, text: string): number =>
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text));
  const line = lineIn(built, 'function parseFilter(');
  const frame = frameOf('parseFilter', pathToFileURL(built).href, line, 27);
  const source = lineIn(join(root, 'src/contract/filter.ts'), 'function parseFilter(') + 1;
  const sources = createSources();
  assert.deepEqual(sources.functionOf(frame), {
    name: 'parseFilter',
    file: 'src/contract/filter.ts',
    line: source,
  });
  const inside = lineIn(built, 'const terms = []');
  assert.equal(
    sources.lineOf(frame, inside + 1),
    lineIn(join(root, 'src/contract/filter.ts'), 'const terms: FilterTerm[] = []') + 1,
  );
});

test('a place without a map stays as it is, and names no folder outside of the project', () => {
  const sources = createSources();
  assert.equal(
    sources.functionOf(frameOf('now', 'node:internal/perf', 3)).file,
    'node:internal/perf',
  );
  const packaged = pathToFileURL(join(root, 'node_modules/postgres/src/index.js')).href;
  assert.equal(
    sources.functionOf(frameOf('Postgres', packaged, 40)).file,
    'node_modules/postgres/src/index.js',
  );
  assert.deepEqual(sources.functionOf(frameOf('(program)')), {
    name: '(program)',
    file: '',
    line: 0,
  });
});

test('time that a thread waits is not spent; a function has it by line', () => {
  const nodes = nodesOfCpu({
    nodes: [
      { id: 1, callFrame: frameOf('(root)'), children: [2, 3] },
      { id: 2, callFrame: frameOf('(idle)') },
      {
        id: 3,
        callFrame: frameOf('work', 'node:x'),
        positionTicks: [
          { line: 5, ticks: 1 },
          { line: 7, ticks: 3 },
        ],
      },
    ],
    startTime: 0,
    endTime: 900,
    samples: [3, 2, 3, 3, 3],
    timeDeltas: [0, 100, 300, 100, 200],
  });
  assert.deepEqual(
    nodes.map(({ frame, parent, values }) => [frame.functionName, parent, [...values]]),
    [
      ['(root)', -1, []],
      ['(idle)', 0, []],
      // 100 + 100 + 200 µs; what the last sample lasts is not known.
      [
        'work',
        0,
        [
          [5, [1, 100_000]],
          [7, [3, 300_000]],
        ],
      ],
    ],
  );
});

test('what is allocated belongs to the function that did it', () => {
  const node = (functionName: string, selfSize: number, children: object[] = []) =>
    ({ id: 1, callFrame: frameOf(functionName), selfSize, children }) as never;
  const nodes = nodesOfHeap({
    head: node('(root)', 0, [node('outer', 0, [node('inner', 64)])]),
  });
  assert.deepEqual(
    nodes.map(({ frame, parent, values }) => [frame.functionName, parent, [...values]]),
    [
      ['(root)', -1, []],
      ['outer', 0, []],
      ['inner', 1, [[0, [64]]]],
    ],
  );
});

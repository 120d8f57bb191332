import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { parseResults } from '../support/go-benchmarks.ts';
import { root } from '../support/house.ts';

/** `make benchstat` where PATH has make and the programs that are given, as shell scripts. */
function compare(programs: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'benchstat-'));
  try {
    const places = process.env['PATH']!.split(delimiter).map((place) => join(place, 'make'));
    symlinkSync(places.find(existsSync)!, join(folder, 'make'));
    for (const [name, script] of Object.entries(programs)) {
      const file = join(folder, name);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    }
    const words = ['benchstat', 'OLD=before.txt', 'NEW=after.txt'];
    const options = { cwd: root, encoding: 'utf8', env: { PATH: folder } } as const;
    return spawnSync(join(folder, 'make'), words, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const tells = (name: string): string => `echo ${name} "$@"`;

test('make benchstat is the benchstat in PATH, otherwise the one that Go fetches', () => {
  const go = { go: tells('go') };
  const installed = compare({ benchstat: tells('benchstat'), ...go });
  assert.equal(installed.stdout, 'benchstat before.txt after.txt\n', installed.stderr);
  const fetched = compare(go);
  assert.match(fetched.stdout, /^go run golang\.org\/x\/perf\/\S+ before\.txt after\.txt\n$/);
});

test('make benchstat without Go says what to do, and fails', () => {
  const { status, stderr } = compare({});
  assert.notEqual(status, 0);
  assert.match(stderr, /install Go.*before\.txt and after\.txt/);
});

test('make benchstat fails as benchstat does', () => {
  assert.notEqual(compare({ benchstat: 'exit 1' }).status, 0);
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

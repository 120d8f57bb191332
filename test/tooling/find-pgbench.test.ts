import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPgbench } from '../../perf/limits/pgbench.ts';

test('a pgbench that does not run is passed over: Debian has a wrapper without the program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgbench-'));
  try {
    const make = (name: string, script: string): string => {
      const place = join(folder, name);
      mkdirSync(place);
      writeFileSync(join(place, 'pgbench'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(place, 'pgbench'), 0o755);
      return place;
    };
    const wrapper = make('wrapper', 'echo "You must install a package" >&2; exit 1');
    const whole = make('whole', 'echo "pgbench (PostgreSQL) 18.4"');
    assert.equal(findPgbench([join(folder, 'absent'), wrapper]), undefined);
    assert.deepEqual(findPgbench([wrapper, whole]), {
      program: join(whole, 'pgbench'),
      version: 'pgbench (PostgreSQL) 18.4',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

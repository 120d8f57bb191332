/** Dockerfile and docker-compose.yml, parsed by the programs that use them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCompose } from '../support/compose.ts';
import { findHadolint } from '../support/hadolint.ts';
import { root } from '../support/house.ts';

const needed = {
  DB_PASSWORD: 'one',
  METRICS_USERNAME: 'metrics-reader',
  METRICS_PASSWORD: 'two-two-two-two',
  GRAFANA_PASSWORD: 'three',
};

test('Compose accepts the file, and names each variable that is missing', (t) => {
  const compose = findCompose();
  if (typeof compose === 'string') return t.skip(compose);
  t.diagnostic(compose.name);
  const whole = compose.config(needed);
  assert.ok(whole.ok, whole.output);
  for (const name of Object.keys(needed)) {
    const { ok, output } = compose.config({ ...needed, [name]: '' });
    assert.ok(!ok && output.includes(name), `without ${name}: ${output}`);
  }
  assert.ok(compose.config({ ...needed, COMPOSE_PROFILES: 'test' }).ok);
});

test('hadolint has no complaint about the Dockerfile', (t) => {
  const hadolint = findHadolint();
  if (typeof hadolint === 'string') return t.skip(hadolint);
  const { status, stdout, stderr } = spawnSync(hadolint.program, ['Dockerfile'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});

/** What a machine may lack, with the reason to skip. */
const lacks = [
  { what: 'docker', script: null, message: /There is no docker in PATH/ },
  { what: 'Compose', script: 'exit 1', message: /docker has no compose command/ },
  { what: 'engine', script: 'test "$1" = compose', message: /No Docker engine answers/ },
] as const;

for (const { what, script, message } of lacks) {
  test(`make says what is missing where there is no ${what}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'docker-'));
    for (const program of ['make', 'sh', 'node']) {
      const found = spawnSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' });
      symlinkSync(found.stdout.trim(), join(folder, program));
    }
    if (script !== null) {
      const file = join(folder, 'docker');
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    }
    for (const target of ['docker-up', 'restart', 'docker-db-migrate-down', 'docker-db-test-up']) {
      const { status, stderr } = spawnSync('make', [target], {
        cwd: root,
        encoding: 'utf8',
        env: { PATH: folder },
      });
      assert.notEqual(status, 0);
      assert.match(stderr, message, target);
    }
  });
}

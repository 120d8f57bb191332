/** Checks the unit of docs/deploying.md with systemd. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { root } from '../support/house.ts';

const unit = readUnit();
const skip =
  spawnSync('systemd-analyze', ['--version']).error === undefined
    ? false
    : 'systemd is not installed: its reading of the unit is not tried';

function readUnit(): string {
  const guide = readFileSync(join(root, 'docs/deploying.md'), 'utf8');
  const found = /```ini\n# \/etc\/systemd\/system\/tasks\.service\n([\s\S]+?)```/.exec(guide)?.[1];
  return found ?? assert.fail('docs/deploying.md has no unit');
}

test('systemd finds nothing wrong with the unit', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'unit-'));
  const file = join(folder, 'tasks.service');
  // systemd checks that the program exists; it does only on a server.
  writeFileSync(file, unit.replace('ExecStart=/opt/tasks/', `ExecStart=${root}/`));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  assert.deepEqual([status, stdout + stderr], [0, '']);
});

test('the unit is started again without an end, and has the time that stopping may take', () => {
  assert.match(unit, /^\[Unit\][^[]*^StartLimitIntervalSec=0$/m);
  assert.match(unit, /^\[Service\][^[]*^RestartSec=\d+$/m);
  const config = parseConfig({ ENV: 'production', DB_EMBEDDED: 'true' }, 'tool');
  assert.ok(config.ok);
  const { shutdownDelayMs, shutdownGraceMs } = config.config;
  const stopMs = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) * 1000;
  assert.ok(stopMs > shutdownDelayMs + shutdownGraceMs, `${stopMs} ms`);
});

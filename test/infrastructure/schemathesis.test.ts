/** The running service against its own description, by a program that knows nothing but that. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../support/house.ts';
import { useService } from '../support/suite.ts';

/** Of each operation. */
const examples = Number(process.env['SCHEMATHESIS_EXAMPLES'] ?? 20);
const fetched = join(root, '.schemathesis/bin/schemathesis');
const program = existsSync(fetched) ? fetched : 'schemathesis';
const said = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? '';
const skip = /version 4\./.test(said)
  ? false
  : 'there is no schemathesis 4: make schemathesis, which needs Python 3.10 with venv and pip';

const suite = useService('schemathesis', {
  env: { REQUEST_TIMEOUT_MS: '30000' },
});

test('the service does what its description says, but for exceptions that have a reason', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
  const url = `http://127.0.0.1:${suite.service.port}/openapi.json`;
  const config = join(root, 'test/tooling/schemathesis.toml');
  const options = ['--include-path-regex', '^/api', '--continue-on-failure', '--no-color'];
  const bounds = ['--max-examples', String(examples), '--request-timeout', '60'];
  try {
    // It fails with findings, and with requests that it could not send.
    await promisify(execFile)(
      program,
      ['--config-file', config, 'run', url, ...options, ...bounds],
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
    );
  } catch (error) {
    const { stdout } = error as { readonly stdout?: string };
    assert.fail(stdout ?? String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

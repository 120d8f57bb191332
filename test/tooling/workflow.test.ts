/** Checks the GitHub Actions workflow against the code, because it cannot run elsewhere. */
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { root } from '../support/house.ts';

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number>>;
}

interface Job {
  readonly container?: { readonly image: string };
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly steps: readonly Step[];
}

const { jobs } = parse(textOf('.github/workflows/ci.yml')) as {
  jobs: Readonly<Record<string, Job>>;
};
const steps = Object.values(jobs).flatMap((job) => job.steps);

test('each make target of the workflow is there', () => {
  const targets = new Set(
    textOf('Makefile')
      .match(/^[a-z][a-z0-9 -]*(?=:)/gm)!
      .join(' ')
      .split(' '),
  );
  const named = steps.flatMap(({ run }) =>
    [...(run ?? '').matchAll(/^make (.*)$/gm)].flatMap(([, words]) => words!.split(' ')),
  );
  assert.deepEqual(
    named.filter((name) => !targets.has(name)),
    [],
  );
  assert.ok(named.includes('check') && named.includes('test'));
});

test('each program of ours that the workflow runs is there, and scripts may be run', () => {
  const programs = steps.flatMap(({ run }) =>
    [...(run ?? '').matchAll(/^(?:node )?(test\/\S+)/gm)].map(([, program]) => program!),
  );
  assert.deepEqual(programs, ['test/tooling/compare-binaries.ts', 'test/tooling/containers.sh']);
  for (const program of programs) {
    accessSync(join(root, program), program.endsWith('.sh') ? constants.X_OK : constants.R_OK);
  }
});

test('tests run on the Node of .nvmrc, and the old pair on the system that needs it', () => {
  const major = Number.parseInt(textOf('.nvmrc'), 10);
  assert.ok(jobs['test']?.strategy?.matrix.node.includes(major));
  assert.equal(jobs['old-pair']?.container?.image, 'debian:12');
});

test('the binaries are compared with the release of the version that is installed', () => {
  const checkout = jobs['upstream-binaries']?.steps.find(
    (step) => step.with?.['ref'] !== undefined,
  );
  const { version } = JSON.parse(textOf('node_modules/uWebSockets.js/package.json')) as {
    version: string;
  };
  assert.deepEqual(
    [checkout?.with?.['repository'], checkout?.with?.['ref']],
    ['uNetworking/uWebSockets.js', `v${version}`],
  );
});

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

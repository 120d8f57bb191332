import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, run, test } from 'node:test';
import { createSummary, type SummaryOptions } from '../reporters/summary.ts';
import { endHangingFiles } from '../support/hanging-files.ts';
import { root } from '../support/house.ts';

const folder = mkdtempSync(join(tmpdir(), 'summary-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What the summary says of test files with these texts, run as the test command runs them. */
async function report(
  files: Record<string, string>,
  more: Partial<SummaryOptions> & { timeout?: number } = {},
): Promise<string> {
  // Otherwise the runner behaves as a child of the one that runs this file.
  const context = process.env['NODE_TEST_CONTEXT'];
  delete process.env['NODE_TEST_CONTEXT'];
  const paths = Object.entries(files).map(([name, text]) => {
    const file = join(folder, name);
    writeFileSync(file, `import { describe, test } from 'node:test';\n${text}`);
    return file;
  });
  try {
    const { timeout = 30_000, ...options } = more;
    const summary = createSummary({ root: folder, ...options });
    let said = '';
    const events = run({ files: paths, concurrency: 2, timeout });
    endHangingFiles(events, timeout);
    for await (const text of summary(events)) said += text;
    return said;
  } finally {
    if (context !== undefined) process.env['NODE_TEST_CONTEXT'] = context;
  }
}

function lastLineOf(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1);
}

test('the last line counts tests, not the suites and tests around them', async () => {
  const said = await report({
    'nested.mjs': `
      describe('suite', () => {
        test('one', () => {});
        describe('inner', () => { test('two', () => {}); });
      });
      test('parent', async (t) => { await t.test('three', () => {}); });
      test('four', () => {});`,
  });
  assert.equal(said, '\n4 passed, 0 failed\n');
});

test('a failure is named once, with its file and the tests around it', async () => {
  const said = await report({
    'failing.mjs': `
      describe('suite', () => {
        test('parent', async (t) => {
          await t.test('child', () => { throw new TypeError('the cause'); });
        });
        test('other', () => {});
      });`,
  });
  assert.equal(said, '\nFailed:\n  failing.mjs suite › parent › child\n\n1 passed, 1 failed\n');
});

test('a suite that fails by itself is counted', async () => {
  const said = await report({
    'hook.mjs': `
      import { before } from 'node:test';
      describe('suite', () => {
        before(() => { throw new Error('the hook failed'); });
        test('one', () => {});
      });`,
  });
  assert.match(lastLineOf(said) ?? '', /^0 passed, [12] failed$/);
});

test('skipped tests are listed with their reason', async () => {
  const said = await report({
    'skipped.mjs': `
      test('needs redis', { skip: 'install redis-server' }, () => {});
      test('for no reason', { skip: true }, () => {});
      test('leaves', (t) => t.skip('has seen enough'));
      test('runs', () => {});`,
  });
  assert.equal(
    said,
    `
Skipped:
  skipped.mjs needs redis: install redis-server
  skipped.mjs for no reason: no reason given
  skipped.mjs leaves: has seen enough

1 passed, 0 failed, 3 skipped
`,
  );
});

test('a file that throws, one without a test, and those that hang fail', async () => {
  const said = await report(
    {
      'throws.mjs': `throw new Error('while loading');`,
      'hangs.mjs': `test('waits for ever', () => new Promise((r) => setTimeout(r, 60_000)));`,
      'stays.mjs': `test('leaves a timer', () => void setInterval(() => {}, 60_000));`,
      'leaves.mjs': `process.exit(0);`,
      'fine.mjs': `test('fine', () => {});`,
    },
    { timeout: 2000 },
  );
  assert.match(lastLineOf(said) ?? '', /^2 passed, [45] failed$/);
  assert.match(said, /^ {2}throws\.mjs$/m);
  // Node 24 ends the test, and then we end the file; the others end the file.
  assert.match(said, /^ {2}hangs\.mjs (did not end: )?waits for ever$/m);
  assert.match(said, /^ {2}stays\.mjs$/m);
  assert.match(said, /^ {2}leaves\.mjs ended without a test$/m);
});

test('text that is awaited at the end knows the failures and stands above their names', async () => {
  const said = await report(
    { 'one.mjs': `test('fails', () => { throw new Error('x'); });` },
    { finish: async (failed) => `coverage after ${failed} failure` },
  );
  assert.equal(
    said,
    '\ncoverage after 1 failure\n\nFailed:\n  one.mjs fails\n\n0 passed, 1 failed\n',
  );
});

test('a built file is named as its source', async () => {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  const said = await report({
    'dist/built.test.js': `test('fails', () => { throw new Error('x'); });`,
  });
  assert.match(said, /^ {2}built\.test\.ts fails$/m);
});

test('the test command tells a failure in full, and ends with its name and the totals', async () => {
  const file = `summary-${process.pid}.test.js`;
  const place = join(root, 'dist/test/unit', file);
  after(() => rmSync(place, { force: true }));
  writeFileSync(
    place,
    `import { test } from 'node:test';
     test('fails', () => { throw new TypeError('the cause'); });
     test('skips', { skip: 'the reason' }, () => {});`,
  );
  const { NODE_TEST_CONTEXT: _, GITHUB_ACTIONS: __, ...env } = process.env;
  for (const [actions, annotated] of [
    [{}, false],
    [{ GITHUB_ACTIONS: 'true' }, true],
  ] as const) {
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, 'dist/test/run.js'), 'unit', file.replace(/js$/, 'ts')],
      { encoding: 'utf8', env: { ...env, ...actions } },
    );
    assert.equal(status, 1, stdout);
    assert.match(stdout, /TypeError.*the cause\n\s+at /);
    assert.equal(/^::error .*the cause/m.test(stdout), annotated, stdout);
    const source = `test/unit/${file.replace(/js$/, 'ts')}`;
    assert.ok(
      stdout.endsWith(
        `\nSkipped:\n  ${source} skips: the reason\n\nFailed:\n  ${source} fails\n\n0 passed, 1 failed, 1 skipped\n`,
      ),
      stdout,
    );
  }
});

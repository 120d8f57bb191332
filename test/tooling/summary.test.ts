import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, run, test } from 'node:test';
import { createSummary, type SummaryOptions } from '../reporters/summary.ts';

const folder = mkdtempSync(join(tmpdir(), 'summary-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The reporter's output for test files with these texts, run like the test command. */
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
    const execArgv = ['--test-force-exit'];
    const events = run({ files: paths, concurrency: 2, timeout, execArgv });
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
  assert.equal(lastLineOf(said), '4 passed, 0 failed');
  assert.match(said, /^✓ nested\.mjs \(\d+ ms\)$/m);
  assert.match(said, /Slowest:\n(?: +\d+ ms {2}nested\.mjs:\d+ .+\n){4}/);
});

test('what a test notes is told', async () => {
  const said = await report({
    'noting.mjs': `test('one', (t) => t.diagnostic('7 operations'));`,
  });
  assert.match(said, /Noted:\n {2}noting\.mjs 7 operations\n\nSlowest/);
});

test('a failure is told once, with its names, place and error', async () => {
  const said = await report({
    'failing.mjs': `
      describe('suite', () => {
        test('parent', async (t) => {
          await t.test('child', () => { throw new TypeError('the cause'); });
        });
        test('other', () => {});
      });`,
  });
  assert.equal(lastLineOf(said), '1 passed, 1 failed');
  assert.match(said, /✗ suite › parent › child\n {2}failing\.mjs:5\n {2}TypeError.*: the cause\n/);
  assert.match(said, /^✗ failing\.mjs/m);
  // Repeated at the end, for logs that are cut.
  assert.match(said, /\nFailed:\n {2}failing\.mjs:5 suite › parent › child\n\n1 passed/);
  assert.doesNotMatch(said, /node:internal/);
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
  assert.match(said, /the hook failed/);
});

test('skipped tests are listed with their reason', async () => {
  const said = await report({
    'skipped.mjs': `
      test('needs redis', { skip: 'install redis-server' }, () => {});
      test('for no reason', { skip: true }, () => {});
      test('runs', () => {});`,
  });
  assert.equal(lastLineOf(said), '1 passed, 0 failed, 2 skipped');
  assert.match(said, /skipped\.mjs:3 needs redis: install redis-server\n/);
  assert.match(said, /skipped\.mjs:4 for no reason: no reason given\n/);
});

test('a file that throws, one that hangs and one without a test fail, with what they wrote', async () => {
  const said = await report(
    {
      'throws.mjs': `console.log('some output'); throw new Error('while loading');`,
      'hangs.mjs': `test('waits for ever', () => new Promise((r) => setTimeout(r, 60_000)));`,
      'leaves.mjs': `process.exit(0);`,
      'quiet.mjs': `console.log('nobody asks'); test('fine', () => {});`,
    },
    { timeout: 2000 },
  );
  assert.equal(lastLineOf(said), '1 passed, 3 failed');
  assert.match(said, /✗ throws\.mjs\n(?:.*\n)*? {2}some output\n(?:.*\n)*?.*while loading/);
  assert.match(said, /✗ (hangs\.mjs|waits for ever)\n(?:.*\n)*? {2}test timed out after 2000ms/);
  // Node 20 ends the file, later versions the test.
  assert.match(said, /did not end: waits for ever|hangs\.mjs:\d waits for ever/);
  assert.match(said, /✗ leaves\.mjs\n {2}ended without a test/);
  assert.doesNotMatch(said, /nobody asks/);
});

test('what is awaited at the end knows the failures and stands above the last line', async () => {
  const said = await report(
    { 'one.mjs': `test('fails', () => { throw new Error('x'); });` },
    { finish: async (failed) => `coverage after ${failed} failure` },
  );
  assert.match(
    said,
    /\ncoverage after 1 failure\n\nFailed:\n {2}one\.mjs:2 fails\n\n0 passed, 1 failed\n$/,
  );
});

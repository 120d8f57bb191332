import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/telemetry/log.ts';
import { warnOfOldRuntime } from '../../src/telemetry/old-runtime.ts';

function warnings(httpServer: string, node: string): string[] {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  warnOfOldRuntime(
    httpServer,
    createLogger({ level: 'info', role: 'primary', secrets: [], write }),
    node,
  );
  return lines;
}

test('the old pair is told once, with the way out', () => {
  const lines = warnings('uWebSockets.js 20.30.0', '20.20.2');
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /"level":"warn".*no security fixes.*glibc 2\.38/);
});

test('Node 20 with the current build is told', () => {
  assert.match(warnings('uWebSockets.js 20.57.0', '20.20.2').join(), /install Node 24/);
});

test('a runtime that gets fixes is not mentioned', () => {
  for (const node of ['22.23.3', '24.21.0', '26.12.1']) {
    assert.deepEqual(warnings('uWebSockets.js 20.57.0', node), []);
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { processCpuNs, threadCpuNs } from '../../src/telemetry/pprof/thread-clock.ts';

const hasClock = process.threadCpuUsage !== undefined || process.platform === 'linux';
const workNs = 100e6;

test('the clock counts what this thread works, and not what another one does', {
  skip: hasClock ? false : 'this Node and system have no clock for a thread',
}, async () => {
  const before = threadCpuNs()!;
  while (threadCpuNs()! - before < workNs);
  assert.ok(processCpuNs() >= workNs);

  const waitedFrom = threadCpuNs()!;
  const processFrom = processCpuNs();
  await once(new Worker(burn, { eval: true }), 'exit');
  const ofAll = processCpuNs() - processFrom;
  assert.ok(ofAll >= workNs, `the other thread has worked ${ofAll} ns`);
  assert.ok(threadCpuNs()! - waitedFrom < ofAll / 2);
});

test('a Node with a clock for threads needs no file for it, and says the same as Linux', {
  skip:
    process.threadCpuUsage === undefined
      ? 'Node 20 and 22 have none'
      : process.platform !== 'linux' && 'only Linux has a file to compare with',
}, () => {
  const own = threadCpuNs()!;
  const ofFile = threadCpuNs(null)!;
  const again = threadCpuNs()!;
  // Node truncates both of its times to microseconds.
  assert.ok(own <= ofFile && ofFile <= again + 5000, `${own} ${ofFile} ${again}`);
});

/** Burns CPU time until its process has used that much, then exits. */
const burn = `
  const from = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(from);
    if ((user + system) * 1000 >= ${2 * workNs}) break;
  }`;

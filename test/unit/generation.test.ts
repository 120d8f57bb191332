import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGenerationReader, type Generation } from '../../src/cache/generation.ts';

/** A source whose reads the test ends. */
function createBench() {
  const reads: { end(number: number): void; break(): void }[] = [];
  const served: string[] = [];
  const reader = createGenerationReader<string>({
    read: () =>
      new Promise<Generation>((resolve, reject) => {
        reads.push({
          end: (number) => resolve({ era: '', number }),
          break: () => reject(new Error('away')),
        });
      }),
    known: (waiters, { number }) => served.push(`${waiters.join()}=${number}`),
    failed: (waiters) => served.push(`${waiters.join()} failed`),
  });
  return { reader, reads, served };
}

test('all who wait share one read', async () => {
  const { reader, reads, served } = createBench();
  for (const waiter of ['a', 'b', 'c']) reader.add(waiter);
  await turn();
  assert.equal(reads.length, 1);
  reads[0]!.end(5);
  await turn();
  assert.deepEqual(served, ['a,b,c=5']);
});

test('a request during a read gets the next one, never the one that began before', async () => {
  const { reader, reads, served } = createBench();
  reader.add('early');
  await turn();
  reader.add('late');
  reader.add('later');
  await turn();
  assert.equal(reads.length, 1, 'one at a time');
  reads[0]!.end(5);
  await turn();
  assert.deepEqual(served, ['early=5']);
  assert.equal(reads.length, 2);
  reads[1]!.end(6);
  await turn();
  assert.deepEqual(served, ['early=5', 'late,later=6']);
});

test('a read that fails fails its own waiters only', async () => {
  const { reader, reads, served } = createBench();
  reader.add('unlucky');
  await turn();
  reader.add('lucky');
  reads[0]!.break();
  await turn();
  reads[1]!.end(7);
  await turn();
  assert.deepEqual(served, ['unlucky failed', 'lucky=7']);
});

test('a dropped request is forgotten, whether its read is under way or not', async () => {
  const { reader, reads, served } = createBench();
  reader.add('a');
  reader.add('b');
  await turn();
  reader.add('c');
  reader.drop((waiter) => waiter !== 'b');
  reads[0]!.end(1);
  await turn();
  assert.deepEqual(served, ['b=1']);
  assert.equal(reads.length, 1, 'nobody waits for another read');
  reader.add('d');
  await turn();
  assert.equal(reads.length, 2);
});

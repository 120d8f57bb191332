import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crowdingOf } from '../../src/config/crowding.ts';

test('more processes and threads than a machine has use for are named, what is usual is not', () => {
  assert.equal(
    crowdingOf({ frontEnds: 200, workerThreads: 1 }, 2),
    'FRONTENDS=200 processes on 2 cores',
  );
  assert.equal(
    crowdingOf({ frontEnds: 1, workerThreads: 64 }, 1),
    'WORKER_THREADS=64 in each front end on 1 core',
  );
  assert.equal(
    crowdingOf({ frontEnds: 4, workerThreads: 4 }, 2),
    'FRONTENDS=4 × WORKER_THREADS=4 = 16 threads on 2 cores',
  );
  for (const cores of [1, 2, 4, 8, 16, 64]) {
    const usual = { frontEnds: Math.max(1, cores / 4), workerThreads: cores < 4 ? 1 : 2 };
    assert.equal(crowdingOf(usual, cores), undefined);
    assert.equal(crowdingOf({ frontEnds: 2, workerThreads: 2 }, cores), undefined);
  }
});

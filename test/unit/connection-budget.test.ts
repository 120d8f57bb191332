import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  connectionsMin,
  connectionsPerThreadMax,
  divideConnections,
  primaryConnections,
} from '../../src/config/connection-budget.ts';

test('no host opens more connections than it may, and each part has what it needs', () => {
  const numbers = fc.record({
    connections: fc.integer({ min: connectionsMin, max: 2000 }),
    frontEnds: fc.integer({ min: 1, max: 256 }),
    workerThreads: fc.integer({ min: 1, max: 64 }),
  });
  fc.assert(
    fc.property(numbers, (wanted) => {
      const { frontEnds, workerThreads, perFrontEnd, most } = divideConnections(wanted);
      const { local, worker, ownGeneration } = perFrontEnd;
      const each = local + workerThreads * worker + (ownGeneration ? 1 : 0);
      assert.equal(most, primaryConnections + frontEnds * each);
      assert.ok(most <= wanted.connections);
      assert.ok(frontEnds >= 1 && frontEnds <= wanted.frontEnds);
      assert.ok(workerThreads >= 0 && workerThreads <= wanted.workerThreads);
      assert.ok(local >= 1 && local <= connectionsPerThreadMax);
      assert.ok(worker <= connectionsPerThreadMax);
      assert.equal(worker >= 1, workerThreads >= 1);
    }),
  );
});

test('more connections never mean less of anything', () => {
  for (let connections = connectionsMin; connections < 200; connections++) {
    const wanted = { frontEnds: 4, workerThreads: 2 };
    const few = divideConnections({ ...wanted, connections });
    const more = divideConnections({ ...wanted, connections: connections + 1 });
    assert.ok(more.frontEnds >= few.frontEnds);
    assert.ok(more.most >= few.most || more.frontEnds > few.frontEnds);
  }
});

test('the default suffices for machines of all sizes', () => {
  const divide = (frontEnds: number, workerThreads: number) => {
    const budget = divideConnections({ connections: 24, frontEnds, workerThreads });
    const { ownGeneration, local, worker } = budget.perFrontEnd;
    return [budget.frontEnds, budget.workerThreads, ownGeneration, local, worker, budget.most];
  };
  // Two cores: as many as are useful.
  assert.deepEqual(divide(1, 1), [1, 1, true, 7, 7, 19]);
  // Eight, sixteen, thirty-two.
  assert.deepEqual(divide(2, 2), [2, 2, true, 5, 2, 24]);
  assert.deepEqual(divide(4, 2), [4, 2, true, 2, 1, 24]);
  assert.deepEqual(divide(8, 2), [8, 0, false, 2, 0, 20]);
  // More front ends than connections.
  assert.deepEqual(divide(200, 2), [20, 0, false, 1, 0, 24]);
});

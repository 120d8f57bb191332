import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stagesOf } from '../../src/http/stages.ts';

const arrivedAt = 100;

test('each stage has its own time, and together they are the total', () => {
  const timing = { statementUs: 5000, endedAt: 120 };
  assert.deepEqual(stagesOf({ sentAt: 103, timing }, arrivedAt, 127), {
    queueMs: 3,
    dispatchMs: 12,
    statementMs: 5,
    replyMs: 7,
    totalMs: 27,
  });
});

test('what a cache answers, and what waits for its batch, has only waited', () => {
  assert.deepEqual(stagesOf({ sentAt: 0, timing: undefined }, arrivedAt, 127), {
    queueMs: 27,
    dispatchMs: 0,
    statementMs: 0,
    replyMs: 0,
    totalMs: 27,
  });
});

test('nobody knows of a batch that does not come back how long its statement took', () => {
  const { queueMs, dispatchMs, statementMs, replyMs } = stagesOf(
    { sentAt: 103, timing: undefined },
    arrivedAt,
    127,
  );
  assert.deepEqual([queueMs, dispatchMs, statementMs, replyMs], [3, 24, 0, 0]);
});

test('who joins a read that is under way has waited for the rest of it', () => {
  const timing = { statementUs: 90_000, endedAt: 120 };
  assert.deepEqual(stagesOf({ sentAt: 20, timing }, arrivedAt, 127), {
    queueMs: 0,
    dispatchMs: 0,
    statementMs: 20,
    replyMs: 7,
    totalMs: 27,
  });
});

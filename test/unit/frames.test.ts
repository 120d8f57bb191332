import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { leftMsOf, timingOf } from '../../src/batching/frame-head.ts';
import {
  decodeRequests,
  decodeResponses,
  encodeRequests,
  encodeResponses,
} from '../../src/batching/frames.ts';
import {
  decodeListAnswers,
  decodeLists,
  encodeListAnswers,
  encodeLists,
  type ListAnswer,
} from '../../src/batching/list-frames.ts';
import { idMax } from '../../src/contract/limits.ts';
import { problemCodes } from '../../src/contract/problems.ts';

const noTiming = { statementUs: 0, endedAt: 0 };
const bytes = fc.uint8Array({ maxLength: 300 });
const id = fc.integer({ min: 0, max: idMax });

const extra = fc.stringMatching(/^[!-~]{0,64}$/);
const requests = fc.array(fc.record({ id, flags: fc.nat({ max: 0xffff }), body: bytes, extra }));
const responses = fc.array(
  fc.record({
    id,
    version: id,
    status: fc.integer({ min: 100, max: 599 }),
    problem: fc.nat({ max: 0xffff }),
    flags: fc.nat({ max: 0xffffffff }),
    body: bytes,
  }),
);

/** Bodies are views into the frame: compare their contents. */
function plain<Item extends { readonly body: Uint8Array }>(items: readonly Item[]) {
  return items.map((item) => ({ ...item, body: [...item.body] }));
}

test('requests come back from a frame as they went in', () => {
  fc.assert(
    fc.property(requests, (items) => {
      assert.deepEqual(plain(decodeRequests(encodeRequests(items))), plain(items));
    }),
  );
});

test('responses come back from a frame as they went in', () => {
  fc.assert(
    fc.property(responses, (items) => {
      assert.deepEqual(plain(decodeResponses(encodeResponses(items, noTiming))), plain(items));
    }),
  );
});

test('a frame owns its memory and survives the trip to another thread', () => {
  const items = [{ id: 7, flags: 1, body: Buffer.from('{"title":"pooled"}'), extra: 'a key' }];
  const frame = encodeRequests(items);
  assert.equal(frame.byteOffset, 0);
  assert.equal(frame.byteLength, frame.buffer.byteLength);
  const moved = structuredClone(frame, { transfer: [frame.buffer] });
  assert.equal(frame.byteLength, 0);
  assert.deepEqual(plain(decodeRequests(moved)), plain(items));
});

test('a frame of requests says how long their answers may take, wherever it has waited', async () => {
  const began = performance.now();
  const frame = encodeRequests([], 5000);
  assert.ok(leftMsOf(frame) <= 5000);
  await sleep(50);
  const left = leftMsOf(frame);
  const waited = performance.now() - began;
  assert.ok(left <= 5002 - 50, `${left} ms are left after a wait in a queue`);
  assert.ok(left >= 4998 - waited, `${left} ms are left after ${waited} ms`);
  assert.equal(leftMsOf(encodeRequests([], -5)), 0);
});

test('a frame of answers says when its statement ended, by the clock of the thread that reads it', async () => {
  const endedAt = performance.now() - 20;
  const frame = encodeResponses([], { statementUs: 1234, endedAt });
  await sleep(20);
  const here = timingOf(frame);
  assert.equal(here.statementUs, 1234);
  assert.ok(Math.abs(here.endedAt - endedAt) < 5, `${here.endedAt} in place of ${endedAt}`);
  // The clock of a thread begins with it.
  const module = new URL('../../src/batching/frame-head.js', import.meta.url).href;
  const thread = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     import(workerData.module).then(({ timingOf }) => {
       const before = performance.now();
       const { endedAt } = timingOf(workerData.frame);
       parentPort.postMessage([before - endedAt, performance.now() - endedAt]);
     });`,
    { eval: true, workerData: { module, frame } },
  );
  const sentAt = performance.now();
  const [[least, most]] = (await once(thread, 'message')) as [[number, number]];
  const age = performance.now() - endedAt;
  assert.ok(least <= age + 5 && most >= sentAt - endedAt - 5, `${least} to ${most} ms of ${age}`);
  await thread.terminate();
});

const listItems = fc.array(fc.record({ query: bytes }));
const listAnswers = fc.array(
  fc.oneof(
    fc.record({
      problem: fc.constant(null),
      generation: id,
      links: fc.stringMatching(/^[ -~]{0,200}$/),
      body: bytes,
    }),
    fc.record({
      problem: fc.constantFrom(...problemCodes),
      cause: fc.string({ unit: 'grapheme', maxLength: 64 }),
    }),
  ),
);

test('reads of lists come back from a frame as they went in', () => {
  fc.assert(
    fc.property(listItems, (items) => {
      const read = decodeLists(encodeLists(items));
      assert.deepEqual(
        read.map(({ query }) => [...query]),
        items.map(({ query }) => [...query]),
      );
    }),
  );
});

test('lists, and why there is none, come back from a frame as they went in', () => {
  const shown = (answers: readonly ListAnswer[]) =>
    answers.map((answer) =>
      answer.problem === null ? { ...answer, body: [...answer.body] } : { ...answer },
    );
  fc.assert(
    fc.property(listAnswers, (answers) => {
      const timing = { statementUs: 7, endedAt: performance.now() };
      const frame = encodeListAnswers(answers, timing);
      assert.deepEqual(shown(decodeListAnswers(frame)), shown(answers));
      assert.equal(timingOf(frame).statementUs, 7);
      assert.equal(frame.byteLength, frame.buffer.byteLength);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import {
  decodeRequests,
  decodeResponses,
  encodeRequests,
  encodeResponses,
  leftMsOf,
} from '../../src/batching/frames.ts';
import { idMax } from '../../src/contract/limits.ts';

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

/** Bodies are views into the frame: compare what they hold. */
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
      assert.deepEqual(plain(decodeResponses(encodeResponses(items))), plain(items));
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

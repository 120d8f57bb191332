import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeStored, encodeStored, storedKey } from '../../src/cache/stored-list.ts';

const entry = {
  generation: 7,
  links: '</api/tasks?page=1>; rel="first"',
  etag: '"7-x"',
  body: Buffer.from('{"data":[{"title":"ä😀"}]}'),
};

test('a stored list is found under the same key only', () => {
  const generation = { era: 'one', number: 7 };
  const key = storedKey(generation, '{"page":1}', '');
  const value = encodeStored(key, entry);
  const found = decodeStored(key, value);
  assert.equal(found?.links, entry.links);
  assert.deepEqual(Buffer.from(found!.body), entry.body);
  for (const other of [
    storedKey({ ...generation, number: 8 }, '{"page":1}', ''),
    storedKey({ ...generation, era: 'two' }, '{"page":1}', ''),
    storedKey(generation, '{"page":2}', ''),
    storedKey(generation, '{"page":1}', 'other:'),
  ]) {
    assert.notEqual(other, key);
    assert.equal(decodeStored(other, value), undefined);
  }
});

test('a damaged value is not taken for a list', () => {
  const value = encodeStored('key', entry);
  for (let place = 0; place < value.length; place++) {
    const damaged = Buffer.from(value);
    damaged[place]! ^= 1;
    assert.equal(decodeStored('key', damaged), undefined, `byte ${place}`);
    assert.equal(decodeStored('key', value.subarray(0, place)), undefined, `cut at ${place}`);
  }
  const place = fc.nat(value.length);
  fc.assert(
    fc.property(place, place, fc.uint8Array({ minLength: 1 }), (one, other, bytes) => {
      const [from, to] = one < other ? [one, other] : [other, one];
      const altered = Buffer.concat([value.subarray(0, from), bytes, value.subarray(to)]);
      fc.pre(!altered.equals(value));
      assert.equal(decodeStored('key', altered), undefined);
    }),
  );
});

test('a list that is found does not hold on to the piece of memory that it came in', () => {
  const value = encodeStored('key', entry);
  const piece = Buffer.concat([Buffer.alloc(100_000), value]);
  const found = decodeStored('key', piece.subarray(100_000));
  assert.equal(found!.body.buffer.byteLength, entry.body.length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ListEntry } from '../../src/cache/list-entry.ts';
import { createMemoryCache } from '../../src/cache/memory.ts';

function entryOf(bytes: number, generation = 1): ListEntry {
  return { generation, links: '', etag: '""', body: new Uint8Array(bytes) };
}

test('the bound holds whatever is stored, and counts what is there', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 30 }).map(String),
    bytes: fc.integer({ min: 0, max: 3000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bound = 10_000;
      const cache = createMemoryCache(bound, () => undefined);
      for (const { key, bytes } of steps) {
        cache.set(key, entryOf(bytes));
        assert.ok(cache.bytes() <= bound);
      }
      cache.clear();
      assert.equal(cache.bytes(), 0);
    }),
  );
});

test('the least recently used goes first', () => {
  const evicted: number[] = [];
  const cache = createMemoryCache(8 * 1500, () => evicted.push(1));
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) cache.set(key, entryOf(1000));
  cache.get('a');
  cache.set('i', entryOf(1000));
  assert.ok(cache.get('a') !== undefined);
  assert.equal(cache.get('b'), undefined);
  assert.equal(evicted.length, 1);
});

test('a later list of the same query takes the place of the earlier', () => {
  const cache = createMemoryCache(10_000, () => assert.fail('there is room'));
  cache.set('a', entryOf(500, 1));
  const bytes = cache.bytes();
  cache.set('a', entryOf(500, 2));
  assert.equal(cache.get('a')?.generation, 2);
  assert.equal(cache.bytes(), bytes);
});

test('a list larger than an eighth of the bound is not kept, nor is anything in no space', () => {
  const cache = createMemoryCache(16_000, () => assert.fail('it drives nothing out'));
  cache.set('small', entryOf(100));
  cache.set('large', entryOf(2000));
  assert.equal(cache.get('large'), undefined);
  assert.ok(cache.get('small') !== undefined);
  const none = createMemoryCache(0, () => undefined);
  none.set('a', entryOf(0));
  assert.equal(none.get('a'), undefined);
});

test('ten thousand queries take no more than the bound', () => {
  const bound = 1024 * 1024;
  const cache = createMemoryCache(bound, () => undefined);
  for (let place = 0; place < 10_000; place++) cache.set(`query ${place}`, entryOf(2000));
  assert.ok(cache.bytes() <= bound);
  assert.ok(cache.get('query 9999') !== undefined);
  assert.equal(cache.get('query 1'), undefined);
});

test('the last list is not handed out once it is replaced, driven out or cleared', () => {
  const cache = createMemoryCache(8 * 1500, () => undefined);
  const first = entryOf(1000, 1);
  const second = entryOf(1000, 2);
  cache.set('a', first);
  assert.equal(cache.get('a'), first);
  cache.set('a', second);
  assert.equal(cache.get('a'), second);
  for (const key of ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) cache.set(key, entryOf(1000));
  assert.equal(cache.get('a'), undefined);
  assert.ok(cache.get('j') !== undefined);
  cache.clear();
  assert.equal(cache.get('j'), undefined);
});

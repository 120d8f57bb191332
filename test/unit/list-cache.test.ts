import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Flight, Landing, ListRequest } from '../../src/cache/flight.ts';
import type { Generation } from '../../src/cache/generation.ts';
import { createListCache } from '../../src/cache/list-cache.ts';
import type { ListEntry } from '../../src/cache/list-entry.ts';
import type { RedisCache } from '../../src/cache/redis-cache.ts';
import { rebaseLinks } from '../../src/contract/base-path.ts';
import { type ListKey, parseListKey } from '../../src/contract/list-key.ts';
import { createCacheStats } from '../../src/telemetry/stats.ts';

interface Request extends ListRequest {
  readonly name: string;
}

/** With a separate buffer: a view of a shared one counts as much as the whole buffer. */
function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

function keyOf(raw: string): ListKey {
  const parsed = parseListKey(raw);
  assert.ok(parsed.ok);
  return parsed.key;
}

interface BenchOptions {
  readonly memoryBytesMax?: number;
  readonly queueMax?: number;
  readonly queueWaitMaxMs?: number;
  readonly redis?: RedisCache;
  readonly full?: boolean;
  readonly linksFor?: (links: string) => string;
  readonly onAnswer?: (entry: ListEntry) => void;
}

/** The generation is a number set by the test; the test also ends the flights. */
function createBench(options: BenchOptions = {}) {
  const state = { generation: { era: 'a', number: 1 } as Generation, away: false };
  const flights: Flight<Request>[] = [];
  const answers: string[] = [];
  const refused: string[] = [];
  const stats = createCacheStats();
  const landings: Landing<Request>[] = [];
  const cache = createListCache<Request>({
    memoryBytesMax: options.memoryBytesMax ?? 100_000,
    queueMax: options.queueMax ?? 100,
    queueWaitMaxMs: options.queueWaitMaxMs ?? 10_000,
    redis: options.redis,
    stats,
    linksFor: options.linksFor ?? ((links) => links),
    readGeneration: async () => {
      if (state.away) throw new Error('away');
      return state.generation;
    },
    openReads(given) {
      landings.push(given);
      return {
        add(flight) {
          if (options.full === true) return false;
          flights.push(flight);
          return true;
        },
        expire: () => undefined,
      };
    },
    refused: (kind, requests) => refused.push(`${kind}: ${requests}`),
    answer({ name }, entry) {
      answers.push(`${name}: ${Buffer.from(entry.body)}`);
      options.onAnswer?.(entry);
    },
    fail: ({ name }, code) => answers.push(`${name}: ${code}`),
  });

  const landing = landings[0]!;

  async function ask(name: string, raw = '', deadline = Number.POSITIVE_INFINITY) {
    const taken = cache.add({ name, list: keyOf(raw), deadline, sentAt: 0, timing: undefined });
    await turn();
    await turn();
    return taken;
  }

  function land(body: string, generation = state.generation.number): void {
    landing.land(flights.shift()!, { generation, links: '', body: Buffer.from(body) });
  }

  return { state, flights, answers, refused, stats, cache, landing, ask, land };
}

test('a list is read once for each generation', async () => {
  const { ask, land, answers, flights, state, stats } = createBench();
  await ask('first');
  land('one');
  await ask('second');
  state.generation = { era: 'a', number: 2 };
  await ask('third');
  land('two');
  await ask('fourth');
  assert.deepEqual(answers, ['first: one', 'second: one', 'third: two', 'fourth: two']);
  assert.equal(flights.length, 0);
  assert.deepEqual([stats.listReads, stats.memoryHits, stats.memoryMisses], [2, 2, 2]);
});

test('requests for the same list share a flight; another list has its own', async () => {
  const { ask, land, answers, flights } = createBench();
  await ask('a');
  await ask('b', 'page=1');
  await ask('c', 'page=2');
  assert.equal(flights.length, 2);
  land('page one');
  land('page two');
  assert.deepEqual(answers, ['a: page one', 'b: page one', 'c: page two']);
});

test('a flight that began before a write is not shared by who came after it', async () => {
  const { ask, land, answers, flights, state } = createBench();
  await ask('before');
  state.generation = { era: 'a', number: 2 };
  await ask('after');
  assert.equal(flights.length, 2);
  land('old', 1);
  assert.deepEqual(answers, ['before: old']);
  land('new', 2);
  assert.deepEqual(answers, ['before: old', 'after: new']);
});

test('a list that comes late never replaces what a later request gets', async () => {
  const { ask, land, answers, flights, state } = createBench();
  await ask('slow');
  state.generation = { era: 'a', number: 2 };
  await ask('fast');
  flights.reverse();
  land('new', 2);
  land('old', 1);
  await ask('next');
  assert.equal(flights.length, 1, 'the old list is not taken for the new one');
  land('new', 2);
  assert.deepEqual(answers, ['fast: new', 'slow: old', 'next: new']);
});

test('a list of a later generation than asked for is good', async () => {
  const { ask, land, answers, state } = createBench();
  await ask('one');
  land('three', 3);
  state.generation = { era: 'a', number: 2 };
  await ask('two');
  assert.deepEqual(answers, ['one: three', 'two: three']);
});

test('a server that lags behind is asked again, and not for ever', async () => {
  const { ask, land, answers, flights } = createBench();
  await ask('patient');
  land('stale', 0);
  land('fresh', 1);
  await ask('unlucky', 'page=2');
  for (let time = 0; time < 3; time++) land('stale', 0);
  assert.equal(flights.length, 0);
  assert.deepEqual(answers, ['patient: fresh', 'unlucky: unavailable']);
});

test('nothing of one era is good in another', async () => {
  const { ask, land, answers, state } = createBench();
  await ask('a');
  land('before', 9);
  state.generation = { era: 'b', number: 1 };
  await ask('b');
  land('restored', 1);
  assert.deepEqual(answers, ['a: before', 'b: restored']);
});

test('a list without its generation is unavailable, never old', async () => {
  const { ask, land, answers, state } = createBench();
  await ask('a');
  land('one');
  state.away = true;
  await ask('b');
  state.away = false;
  await ask('c');
  assert.deepEqual(answers, ['a: one', 'b: unavailable', 'c: one']);
});

test('a failed flight fails those on it, and the next request tries anew', async () => {
  const { ask, answers, flights, landing, land } = createBench();
  await ask('a');
  await ask('b');
  landing.crash(flights.shift()!, 'unavailable', 'gone');
  await ask('c');
  land('back');
  assert.deepEqual(answers, ['a: unavailable', 'b: unavailable', 'c: back']);
});

test('a full queue is overloaded, and so are too many that wait', async () => {
  const full = createBench({ full: true });
  await full.ask('a');
  assert.deepEqual(full.answers, ['a: overloaded']);
  const { ask, cache, land } = createBench({ queueMax: 2 });
  assert.deepEqual([await ask('a'), await ask('b'), await ask('c')], [true, true, false]);
  assert.equal(cache.size('list'), 2);
  land('done');
  assert.equal(cache.size('list'), 0);
  assert.equal(await ask('d'), true);
});

test('a request that waits too long for the generation is told so', async () => {
  const { cache, state, answers } = createBench();
  state.generation = { era: 'a', number: 1 };
  cache.add({ name: 'late', list: keyOf(''), deadline: 10, sentAt: 0, timing: undefined });
  cache.add({ name: 'early', list: keyOf(''), deadline: 30, sentAt: 0, timing: undefined });
  cache.expire(20);
  assert.deepEqual(answers, ['late: unavailable']);
  assert.equal(cache.size('list'), 1);
});

test('each request reads for itself, unchecked, with no cache at all', async () => {
  const { ask, land, answers, stats } = createBench({ memoryBytesMax: 0 });
  await ask('a');
  await ask('b');
  land('one');
  land('two');
  assert.deepEqual(answers, ['a: one', 'b: two']);
  assert.equal(stats.generationReads, 0);
});

test('Redis is asked for what memory has not, at this generation, and told what was read', async () => {
  const asked: string[] = [];
  const stored: string[] = [];
  const redis: RedisCache = {
    isThere: () => true,
    isUp: () => true,
    async lookup({ number }, keys) {
      asked.push(`${number}: ${keys.length}`);
      return keys.map((key): ListEntry | undefined =>
        key.text.includes('"page":2')
          ? { generation: number, links: '', etag: '', body: bytesOf('from Redis') }
          : undefined,
      );
    },
    store: (_generation, _key, { generation }) => stored.push(String(generation)),
    close: () => undefined,
  };
  const { ask, land, answers, flights } = createBench({ redis });
  await ask('a', 'page=2');
  await ask('b', 'page=2');
  await ask('c', 'page=3');
  assert.equal(flights.length, 1);
  land('from PostgreSQL', 2);
  assert.deepEqual(answers, ['a: from Redis', 'b: from Redis', 'c: from PostgreSQL']);
  assert.deepEqual([asked, stored], [['1: 1', '1: 1'], ['2']]);
});

test('newcomers are refused while a request waits too long for the generation', async () => {
  const { cache, state } = createBench({ queueWaitMaxMs: 100 });
  state.generation = { era: 'a', number: 1 };
  const add = (deadline: number) =>
    cache.add({ name: 'x', list: keyOf(''), deadline, sentAt: 0, timing: undefined });
  assert.deepEqual([add(1000), add(1100), add(1101)], [true, true, false]);
});

test('requests that wait for the generation, or share a read, count as waiting, by kind', async () => {
  const { cache, ask, land } = createBench();
  const sizes = () => [cache.size('list'), cache.size('search')];
  const asked = [ask('a'), ask('b'), ask('c', 'title=x')];
  assert.deepEqual(sizes(), [2, 1]);
  await Promise.all(asked);
  assert.deepEqual(sizes(), [2, 1]);
  land('list');
  assert.deepEqual(sizes(), [0, 1]);
  land('search');
  assert.deepEqual(sizes(), [0, 0]);
});

test('each request that is refused counts as refused, by kind', async () => {
  const full = createBench({ full: true });
  await Promise.all([full.ask('a'), full.ask('b'), full.ask('c', 'title=x')]);
  assert.deepEqual(full.refused, ['list: 2', 'search: 1']);
  const few = createBench({ queueMax: 1 });
  await Promise.all([few.ask('a'), few.ask('b'), few.ask('c', 'title=x')]);
  assert.deepEqual(few.refused, ['list: 1', 'search: 1']);
});

test('nobody joins a read that has waited too long in its queue; memory still serves', async () => {
  const { answers, ask, flights, land, refused } = createBench({ queueWaitMaxMs: 100 });
  await ask('kept', 'page=2', 900);
  land('page two');
  await ask('first', '', 1000);
  await ask('in time', '', 1100);
  await ask('late', '', 1101);
  await ask('from memory', 'page=2', 1101);
  flights[0]!.sentAt = 1;
  await ask('after it went out', '', 1200);
  land('page one');
  assert.deepEqual(answers, [
    'kept: page two',
    'late: overloaded',
    'from memory: page two',
    'first: page one',
    'in time: page one',
    'after it went out: page one',
  ]);
  assert.deepEqual(refused, ['list: 1']);
});

test('clients get the links that are for them, and Redis keeps those that are for all', async () => {
  const stored: string[] = [];
  const kept: ListEntry = {
    generation: 1,
    links: '</api/tasks?page=2>; rel="next"',
    etag: '"1-x"',
    body: Buffer.from('kept'),
  };
  const redis: RedisCache = {
    isThere: () => true,
    isUp: () => true,
    lookup: async (_, keys) => keys.map(({ text }) => (text.includes('9') ? kept : undefined)),
    store: (_, __, { links }) => void stored.push(links),
    close: () => undefined,
  };
  for (const memoryBytesMax of [0, 100_000]) {
    const shown: string[] = [];
    const { landing, flights, ask } = createBench({
      memoryBytesMax,
      redis,
      linksFor: (links) => rebaseLinks(links, '/base'),
      onAnswer: ({ links }) => shown.push(links),
    });
    await ask('from PostgreSQL');
    const links = '</api/tasks?page=1>; rel="first", </api/tasks?page=2>; rel="next"';
    landing.land(flights.shift()!, { generation: 1, links, body: Buffer.from('read') });
    await ask('from Redis', 'page=9');
    if (memoryBytesMax > 0) await ask('from memory', 'page=9');
    const both = '</base/api/tasks?page=1>; rel="first", </base/api/tasks?page=2>; rel="next"';
    const next = '</base/api/tasks?page=2>; rel="next"';
    assert.deepEqual(shown, memoryBytesMax > 0 ? [both, next, next] : [both, next]);
    assert.equal(stored.pop(), links);
  }
});

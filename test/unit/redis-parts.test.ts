import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectTo } from '../../src/cache/redis/connection.ts';
import { reasonOf } from '../../src/cache/redis/reasons.ts';
import { slotOf } from '../../src/cache/redis/slot.ts';
import { readMoved, readSlotRanges } from '../../src/cache/redis/slot-ranges.ts';
import { createTold } from '../../src/cache/redis/told.ts';
import { createTrouble } from '../../src/cache/redis/trouble.ts';
import { createLogger } from '../../src/telemetry/log.ts';

test('slots are those of the specification', () => {
  // The results of CLUSTER KEYSLOT on a server.
  for (const [key, slot] of [
    ['123456789', 0x31c3],
    ['foo', 12_182],
    ['{foo}.bar', 12_182],
    ['x{foo}{bar}', 12_182],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['', 0],
  ] as const) {
    assert.equal(slotOf(key), slot, key);
  }
});

const asked = { host: 'asked', port: 1 };

test('the map of a cluster is read as servers of each version write it', () => {
  const answer = [
    [0, 5, ['10.0.0.1', 7000, 'id', []], ['10.0.0.2', 7001, 'id', []]],
    [6, 6, ['', 7001]],
    [7, 8, [null, 7002]],
    [9, 16_383, ['?', 7003]],
  ];
  assert.deepEqual(readSlotRanges(answer, asked), [
    { first: 0, last: 5, master: { host: '10.0.0.1', port: 7000 } },
    { first: 6, last: 6, master: { host: 'asked', port: 7001 } },
    { first: 7, last: 8, master: { host: 'asked', port: 7002 } },
  ]);
  for (const other of [null, 'OK', [['a']], [[0, 16_384, ['h', 1]]], [[0, 1]]]) {
    assert.equal(readSlotRanges(other, asked), undefined);
  }
});

test('a redirect says where its slot has moved to, and nothing else is one', () => {
  const to = (host: string) => ({ slot: 3999, master: { host, port: 6381 } });
  assert.deepEqual(readMoved('MOVED 3999 127.0.0.1:6381', asked), to('127.0.0.1'));
  assert.deepEqual(readMoved('MOVED 3999 ::1:6381', asked), to('::1'));
  assert.deepEqual(readMoved('MOVED 3999 :6381', asked), to('asked'));
  for (const other of ['ASK 3999 127.0.0.1:6381', 'MOVED 99999 a:1', 'MOVED 1 ?:1', 'MOVED']) {
    assert.equal(readMoved(other, asked), undefined);
  }
});

test('refusals by configuration are certain, failures that pass are not, and both are explained', () => {
  for (const [message, expected, isCertain] of [
    ['WRONGPASS invalid username-password pair', /REDIS_USERNAME and REDIS_PASSWORD/, true],
    ['NOAUTH Authentication required.', /REDIS_PASSWORD/, true],
    ["NOPERM User x has no permissions to run the 'mget' command", /REDIS_USERNAME.*mget/, true],
    ['MOVED 1 127.0.0.1:7000', /REDIS_CLUSTER/, true],
    ["CROSSSLOT Keys in request don't hash to the same slot", /REDIS_CLUSTER/, true],
    ['ERR DB index is out of range', /REDIS_DB/, true],
    ["ERR unknown command 'MGET'", /too old, a Sentinel, or no Redis/, true],
    ["ERR wrong number of arguments for 'auth' command", /older than Redis 6/, true],
    ['LOADING Redis is loading the dataset in memory', /loading/, false],
    ["OOM command not allowed when used memory > 'maxmemory'.", /maxmemory-policy/, false],
    ["READONLY You can't write against a read only replica.", /replica/, false],
    ['connect ECONNREFUSED 127.0.0.1:1', /nothing listens/, false],
    ['something new', /^something new$/, false],
  ] as const) {
    const reason = reasonOf(new Error(message), 'server');
    assert.match(reason.text, expected);
    assert.equal(reason.isCertain, isCertain, message);
    assert.ok(reason.text.includes(message), 'the words of Redis are there for a search');
  }
  assert.equal(reasonOf(new Error('CLUSTERDOWN Hash slot not served'), 'cluster').isCertain, false);
  assert.ok(reasonOf(new Error('x'.repeat(5000)), 'server').text.length < 300);
});

/** The log of a state with failures and successes at these milliseconds. */
function tell(
  events: readonly (readonly [atMs: number, what: 'late' | 'refused' | 'hit' | 'probe'])[],
) {
  const lines: string[] = [];
  const log = createLogger({
    level: 'debug',
    role: 'test',
    pretty: false,
    write: (line) => lines.push(JSON.parse(line).level),
  });
  let now = 0;
  const trouble = createTrouble(1000, () => now);
  const told = createTold(log, { lost: 'lost', found: 'found' });
  let isUsed = true;
  const end = (events.at(-1)?.[0] ?? 0) + 1000;
  for (now = 0; now <= end; now += 10) {
    for (const [, what] of events.filter(([at]) => at === now)) {
      isUsed = what === 'hit' || what === 'probe';
      if (isUsed) trouble.succeed(what === 'hit');
      else trouble.fail(reasonOf(new Error(what === 'late' ? 'late' : 'WRONGPASS x'), 'server'));
    }
    if (now % 500 === 0) told.look([{ trouble }], isUsed);
  }
  return lines;
}

const every = (stepMs: number, untilMs: number) =>
  Array.from({ length: untilMs / stepMs }, (_, place) => (place + 1) * stepMs);

test('an answer that is late now and then is not told', () => {
  const busy = every(500, 60_000).flatMap(
    (at) =>
      [
        [at, 'late'],
        [at + 50, 'probe'],
        [at + 100, 'hit'],
      ] as const,
  );
  assert.deepEqual(tell(busy), []);
});

test('a Redis that fails for seconds is told once, and once that it is back', () => {
  const outage = every(500, 10_000).map((at) => [at, 'late'] as const);
  assert.deepEqual(tell(outage), ['warn']);
  const back = [
    [10_500, 'probe'],
    [11_000, 'probe'],
    [11_500, 'probe'],
  ] as const;
  assert.deepEqual(tell([...outage, ...back]), ['warn', 'info']);
});

test('probes that are answered where requests fail do not make it well', () => {
  const half = every(500, 20_000).flatMap(
    (at) =>
      [
        [at, 'late'],
        [at + 200, 'probe'],
      ] as const,
  );
  assert.deepEqual(tell([...half, [20_500, 'late']]), ['warn']);
});

test('a refusal is told at once as an error, and once', () => {
  assert.deepEqual(tell([[10, 'refused']]), ['error']);
  assert.deepEqual(tell(every(500, 5000).map((at) => [at, 'refused'])), ['error']);
  const mixed = every(500, 10_000).map((at) => [at, at % 1000 === 0 ? 'late' : 'refused'] as const);
  assert.deepEqual(tell(mixed), ['error']);
  const later = every(500, 5000).map((at) => [at, at < 3000 ? 'late' : 'refused'] as const);
  assert.deepEqual(tell(later), ['warn', 'error']);
});

test('a second error of a socket ends nothing', async () => {
  // No server listens on the first port, or the client closes at once.
  const client = connectTo({ host: '127.0.0.1', port: 1 }, { tls: undefined, retry: () => null });
  await new Promise((resolve) => client.once('error', resolve));
  assert.doesNotThrow(() => client.stream.emit('error', new Error('late')));
  client.on('error', () => undefined).disconnect();
});

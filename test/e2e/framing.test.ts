/**
 * A table of requests as bytes. After each one the process is alive, a connection works, and no
 * unintended request has run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { framingCases, titleLength, withTitle } from '../support/framing-cases.ts';
import type { FramingCase, Outcome } from '../support/framing-parts.ts';
import { hasOldParser } from '../support/parser.ts';
import { openRaw, type RawAnswer } from '../support/raw-socket.ts';
import { eventually } from '../support/service.ts';
import { useService } from '../support/suite.ts';

const suite = useService('framing', { prepare: playAll });

/** Cases at once; most of a case is waiting. */
const atOnce = 24;
/** Long enough for an unexpected response to arrive. */
const silenceMs = 400;
const pauseMs = 4;
/** The random prefix of the process, and a counter. */
const madeId = /^[0-9a-z]{6}-[0-9a-z]+$/;
const health = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';

const envelope = ['data', 'meta', 'message', 'errors', 'status'];

interface Played {
  readonly answers: readonly RawAnswer[];
  readonly rest: string;
  readonly endedByItself: boolean;
  /** The status of a following request, on the same connection if that is open. */
  readonly next: number | undefined;
  readonly tasks: number;
}

const outcomes: (Played | Error)[] = [];
let isOldBuild = false;
let frontEnds: readonly number[] = [];

async function playAll(): Promise<void> {
  assert.equal(await suite.api.create({ title: 'what no hidden request may touch' }), 1);
  frontEnds = suite.service.frontEnds();
  isOldBuild = hasOldParser(suite.service);
  let next = 0;
  async function work(): Promise<void> {
    while (next < framingCases.length) {
      const place = next++;
      outcomes[place] = await play(framingCases[place]!, place).catch((error: Error) => error);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** As long as the marker that it replaces. */
function titleOf(place: number): string {
  return `c${place}`.padEnd(titleLength, '.');
}

function expectedOf({ outcome, old }: FramingCase): Outcome {
  return isOldBuild && old !== undefined ? old : outcome;
}

async function play(framingCase: FramingCase, place: number): Promise<Played> {
  const outcome = expectedOf(framingCase);
  const { answers: expected, afterwards, hangUp, heads, pause = pauseMs } = outcome;
  const title = titleOf(place);
  const connection = await openRaw(suite.service.port, new Set(heads ?? []));
  for (const [part, bytes] of withTitle(framingCase.send, title).entries()) {
    if (part > 0) await sleep(pause);
    await connection.send(bytes);
  }
  if (hangUp === 'reset') connection.socket.resetAndDestroy();
  if (hangUp === 'half') connection.socket.end();
  // Waits, so that surplus responses are detected.
  const patience = afterwards === 'waits' || expected.length === 0 ? silenceMs : 5000;
  const answers = [...(await connection.answers(Math.max(1, expected.length), patience))];
  const endedByItself = await connection.ended(afterwards === 'ends' ? 5000 : 30);
  let next: number | undefined;
  if (afterwards === 'open' && !endedByItself) {
    await connection.send(health);
    next = (await connection.answers(expected.length + 1))[expected.length]?.status;
  } else {
    const other = await openRaw(suite.service.port);
    await other.send(health);
    next = (await other.answers(1))[0]?.status;
    other.close();
  }
  const rest = connection.rest();
  connection.close();
  return { answers, rest, endedByItself, next, tasks: await tasksOf(title, outcome) };
}

async function tasksOf(title: string, { hangUp, creates }: Outcome): Promise<number> {
  // After a hang-up, the effect may come a moment later.
  if (hangUp !== undefined || creates === 'perhaps') await sleep(silenceMs);
  const [row] = await suite.database.sql<{ count: string }[]>`
    SELECT count(*) FROM tasks WHERE starts_with(title, ${title})`;
  return Number(row!.count);
}

test('there are at least 250 cases, each with a name of its own', () => {
  assert.ok(framingCases.length >= 250, String(framingCases.length));
  assert.equal(new Set(framingCases.map(({ name }) => name)).size, framingCases.length);
});

for (const [place, framingCase] of framingCases.entries()) {
  const { name } = framingCase;
  test(name, () => {
    const {
      answers,
      afterwards,
      byParser,
      creates = 0,
      hangUp,
      requestId,
    } = expectedOf(framingCase);
    const outcome = outcomes[place];
    assert.ok(outcome !== undefined && !(outcome instanceof Error), String(outcome));
    // The response may have been faster than the hang-up.
    const isRace = hangUp !== undefined && creates === 'perhaps';
    if (!isRace) {
      assert.deepEqual(
        outcome.answers.map(({ status }) => status).slice(0, Math.max(1, answers.length)),
        answers,
      );
    }
    if (byParser === true) assert.match(outcome.rest, /^<h1>.*uWebSockets/);
    else assert.equal(outcome.rest, '');
    if (afterwards === 'ends') assert.ok(outcome.endedByItself, 'the connection stayed open');
    else assert.ok(!outcome.endedByItself, 'the connection was ended');
    assert.equal(outcome.next, 200);
    if (creates === 'perhaps') assert.ok(outcome.tasks <= 1, `${outcome.tasks} tasks`);
    else assert.equal(outcome.tasks, creates);
    if (requestId !== undefined) {
      const given = outcome.answers.at(-1)!.headers.get('x-request-id')!;
      if (requestId === 'made') assert.match(given, madeId);
      else assert.equal(given, requestId);
    }
    for (const [place, answer] of outcome.answers.entries()) {
      if (answer.status === 100) continue;
      if (byParser === true && place === answers.length - 1) continue;
      assert.match(answer.headers.get('x-request-id')!, /^[A-Za-z0-9._-]{1,64}$/);
      if (answer.body !== '') assert.deepEqual(Object.keys(JSON.parse(answer.body)), envelope);
      if (answer.status >= 500 && answer.status !== 501) assert.fail(answer.body);
    }
    const last = outcome.answers.at(-1);
    const mustSay = last !== undefined && (last.status >= 400 || name.startsWith('chunks'));
    if (afterwards === 'ends' && mustSay) assert.equal(last.headers.get('connection'), 'close');
  });
}

test('no hidden request has touched a task', async () => {
  const { status, headers } = await suite.api.get('/api/tasks/1');
  assert.deepEqual([status, headers.etag], [200, '"1-1"']);
});

test('no process died or complained of a bug', async () => {
  assert.deepEqual(suite.service.frontEnds(), frontEnds);
  assert.deepEqual(
    suite.service.log.filter(({ level }) => level === 'error'),
    [],
  );
});

test('a connection on which nothing complete comes is ended', async () => {
  const silent = await openRaw(suite.service.port);
  const halfway = await openRaw(suite.service.port);
  await halfway.send('POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Le');
  // Sending a little at intervals must not extend the timeout.
  const head = 'POST /api/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunkByChunk = await openRaw(suite.service.port);
  await chunkByChunk.send(head);
  const endlessLine = await openRaw(suite.service.port);
  await endlessLine.send(`${head}1 `);
  const drip = setInterval(() => {
    void chunkByChunk.send('1\r\n \r\n');
    void endlessLine.send('xxxx');
  }, 300);
  const all = [silent, halfway, chunkByChunk, endlessLine];
  await eventually(
    async () => (await Promise.all(all.map((connection) => connection.ended(1)))).every(Boolean),
    'a connection was kept',
    60_000,
  ).finally(() => clearInterval(drip));
  for (const connection of [silent, halfway, chunkByChunk]) assert.equal(connection.received(), '');
  // The current build detects an invalid size.
  assert.match(endlessLine.received(), /^(HTTP\/1\.1 400 .*<h1>.*)?$/s);
});

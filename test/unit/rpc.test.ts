import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { callAll } from '../../src/ipc/call-all.ts';
import {
  type Answerer,
  type AnswerMessage,
  createAnswerer,
  createCaller,
  type ToAnswerer,
} from '../../src/ipc/rpc.ts';

type Sent = ToAnswerer<string> | AnswerMessage<string>;

/** The work of the peers under test: each waits until the test gives its answer. */
interface Work {
  readonly question: string;
  readonly signal: AbortSignal;
  answer(text: string): void;
  fail(): void;
}

const never = new AbortController().signal;
/** A caller with the answerers 1 and 2, and all messages in both directions. */
function connect(repeat?: { everyMs: number; isThere: (peer: number) => boolean }) {
  const sent: Sent[] = [];
  const works: Work[] = [];
  const peers = new Map<number, Answerer<'caller', string>>();
  const caller = createCaller<number, string, string>({
    send(peer, message) {
      const answerer = peers.get(peer);
      if (answerer === undefined) return repeat !== undefined;
      sent.push(message);
      answerer.heard('caller', structuredClone(message));
      return true;
    },
    ...(repeat === undefined
      ? {}
      : { repeat: { ...repeat, questionLeft: (question: string) => `${question}, what is left` } }),
  });
  function join(peer: number): void {
    peers.set(
      peer,
      createAnswerer<'caller', string, string>({
        answer: (question, signal) =>
          new Promise((resolve, reject) => {
            const fail = () => reject(new Error('it fails'));
            works.push({ question, signal, answer: resolve, fail });
          }),
        send(_, message) {
          sent.push(message);
          caller.answered(peer, structuredClone(message));
        },
      }),
    );
  }
  join(1);
  join(2);
  return { caller, peers, works, sent, join };
}

test('a call has the answer of its peer, whatever comes first', async () => {
  const { caller, works } = connect();
  const first = caller.call(1, 'first', { signal: never });
  const second = caller.call(2, 'second', { signal: never });
  assert.equal(caller.size(), 2);
  for (const { question, answer } of works.toReversed()) answer(`to ${question}`);
  assert.deepEqual(await Promise.all([first, second]), ['to first', 'to second']);
  assert.equal(caller.size(), 0);
});

test('an answer of another peer, or to a call that has ended, is dropped', async () => {
  const { caller, works } = connect();
  const call = caller.call(1, 'question', { signal: never });
  caller.answered(2, { type: 'answer', id: 1, answer: 'of another' });
  caller.answered(1, { type: 'answer', id: 7, answer: 'to another' });
  works[0]!.answer('its own');
  assert.equal(await call, 'its own');
  caller.answered(1, { type: 'answer', id: 1, answer: 'once more' });
});

test('a peer that could not answer, or is not there, ends the call', async () => {
  const { caller, works } = connect();
  const failing = caller.call(1, 'question', { signal: never });
  works[0]!.fail();
  await assert.rejects(failing, /could not answer/);
  await assert.rejects(caller.call(3, 'question', { signal: never }), /nobody is there/);
  assert.equal(caller.size(), 0);
});

test('an answerer that throws before it waits answers that it could not', async () => {
  const answers: AnswerMessage<string>[] = [];
  const answerer = createAnswerer<number, string, string>({
    answer() {
      throw new Error('at once');
    },
    send: (_, message) => void answers.push(message),
  });
  answerer.heard(1, { type: 'call', id: 1, question: 'question' });
  await turn();
  assert.deepEqual(answers, [{ type: 'answer', id: 1, answer: null }]);
});

test('a call that is cancelled waits until its peer confirms that it has stopped', async () => {
  const { caller, works } = connect();
  const controller = new AbortController();
  const limits = { signal: controller.signal, cancelMaxMs: 60_000 };
  let ended = false;
  const call = caller.call(1, 'question', limits).finally(() => {
    ended = true;
  });
  controller.abort(new Error('the client has gone'));
  await turn();
  assert.deepEqual([ended, works[0]!.signal.aborted], [false, true]);
  works[0]!.fail();
  await assert.rejects(call, /the client has gone/);
});

test('a call that is cancelled ends by itself when nobody confirms it, at once where nobody waits', async () => {
  const { caller, works, sent } = connect();
  for (const cancelMaxMs of [undefined, 1]) {
    const controller = new AbortController();
    const { signal } = controller;
    const limits = cancelMaxMs === undefined ? { signal } : { signal, cancelMaxMs };
    const call = caller.call(1, 'question', limits);
    controller.abort(new Error('the client has gone'));
    await assert.rejects(call, /the client has gone/);
    // A later answer is dropped.
    works.at(-1)!.answer('too late');
    await turn();
    assert.deepEqual(sent.at(-1), { type: 'answer', id: works.length, answer: null });
  }
  assert.equal(caller.size(), 0);
});

test('what was cancelled before it began is not sent, and what is told to stop unheard is confirmed', async () => {
  const { caller, peers, works, sent } = connect();
  const signal = AbortSignal.abort(new Error('the client has gone'));
  await assert.rejects(caller.call(1, 'question', { signal }), /the client has gone/);
  assert.deepEqual(sent, []);
  peers.get(1)!.heard('caller', { type: 'cancel', id: 5 });
  assert.deepEqual(sent, [{ type: 'answer', id: 5, answer: null }]);
  peers.get(1)!.heard('caller', { type: 'call', id: 5, question: 'late' });
  assert.deepEqual(works, []);
});

test('a call that takes too long ends, and its peer is told to stop', async () => {
  const { caller, works } = connect();
  await assert.rejects(
    caller.call(1, 'question', { signal: never, timeoutMs: 1 }),
    /no answer in time/,
  );
  assert.equal(works[0]!.signal.aborted, true);
  assert.equal(caller.size(), 0);
});

test('calls of a peer that is gone end, and those of another go on', async () => {
  const { caller, works } = connect();
  const lost = caller.call(1, 'question', { signal: never });
  const kept = caller.call(2, 'question', { signal: never });
  caller.lost(1);
  await assert.rejects(lost, /is gone/);
  works[1]!.answer('here');
  assert.equal(await kept, 'here');
});

test('an answerer stops for a caller that is gone, and tells its successor nothing of it', async () => {
  const { peers, works, sent } = connect();
  const answerer = peers.get(1)!;
  answerer.heard('caller', { type: 'call', id: 1, question: 'of the first' });
  answerer.lost('caller');
  assert.equal(works[0]!.signal.aborted, true);
  // Its ids start again at 1.
  answerer.heard('caller', { type: 'call', id: 1, question: 'of its successor' });
  works[0]!.answer('to the first');
  await turn();
  assert.deepEqual(sent, []);
  works[1]!.answer('to its successor');
  await turn();
  assert.deepEqual(sent, [{ type: 'answer', id: 1, answer: 'to its successor' }]);
});

test('a call is sent again to a peer that did not listen yet, and is begun once', async () => {
  const { caller, works, join } = connect({ everyMs: 1, isThere: () => true });
  const call = caller.call(3, 'question', { signal: never });
  join(3);
  while (works.length === 0) await turn();
  assert.equal(works[0]!.question, 'question, what is left');
  const again = caller.call(1, 'another', { signal: never, timeoutMs: 20 });
  await assert.rejects(again, /no answer in time/);
  assert.deepEqual(
    works.map(({ question }) => question),
    ['question, what is left', 'another'],
  );
  works[0]!.answer('here');
  assert.equal(await call, 'here');
});

test('a peer that dies without a word is missed', async () => {
  const alive = new Set([1]);
  const { caller } = connect({ everyMs: 1, isThere: (peer) => alive.has(peer) });
  const call = caller.call(1, 'question', { signal: never });
  alive.delete(1);
  await assert.rejects(call, /is gone/);
});

test('a caller that is closed ends its calls and every later one, and its peers stop', async () => {
  const { caller, works } = connect();
  const open = caller.call(1, 'question', { signal: never });
  caller.close(new Error('the front end stops'));
  await assert.rejects(open, /the front end stops/);
  assert.equal(works[0]!.signal.aborted, true);
  await assert.rejects(caller.call(1, 'question', { signal: never }), /the front end stops/);
});

test('one question to several has the answers that came, and who is missing', async () => {
  const { caller, works } = connect();
  const all = callAll(caller, [1, 2, 3], 'question', { signal: never });
  works[0]!.answer('here');
  works[1]!.fail();
  const { answers, missing } = await all;
  assert.deepEqual([[...answers], missing.toSorted()], [[[1, 'here']], [2, 3]]);
});

test('one question to several that is cancelled ends when all have confirmed it', async () => {
  const { caller, works } = connect();
  const controller = new AbortController();
  const limits = { signal: controller.signal, cancelMaxMs: 60_000 };
  const all = callAll(caller, [1, 2], 'question', limits);
  works[0]!.answer('here');
  await turn();
  controller.abort(new Error('the client has gone'));
  works[1]!.fail();
  await assert.rejects(all, /the client has gone/);
});

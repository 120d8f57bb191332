/**
 * Remote calls over any channel of messages, between processes or threads.
 *
 *     caller   call ─────────────▸  answerer      an answer, or `null`: it failed
 *              cancel ───────────▸                stops early; its answer is the confirmation
 *              ◂─────────── answer
 *
 * A call ends once: by its answer, the loss of its peer, its timeout, or its signal. After that
 * neither side keeps any state of it. The content of questions and answers does not matter here.
 */
export interface CallMessage<Question> {
  readonly type: 'call';
  readonly id: number;
  readonly question: Question;
}

/** The caller no longer needs the answer. */
export interface CancelMessage {
  readonly type: 'cancel';
  readonly id: number;
}

export interface AnswerMessage<Answer> {
  readonly type: 'answer';
  readonly id: number;
  /** `null`: the answerer failed, or was cancelled. */
  readonly answer: Answer | null;
}

export type ToAnswerer<Question> = CallMessage<Question> | CancelMessage;

export interface CallLimits {
  readonly signal: AbortSignal;
  /** The timeout of the answer in milliseconds; unset: none. */
  readonly timeoutMs?: number;
  /** How long to wait for the confirmation of a cancel, in milliseconds; unset: not at all. */
  readonly cancelMaxMs?: number;
}

export interface CallerOptions<Peer, Question> {
  /** @returns whether the message could be sent. */
  readonly send: (peer: Peer, message: ToAnswerer<Question>) => boolean;
  /**
   * For a peer that may not listen yet, or that may die silently: the interval in which an open
   * call is checked. Each check sends the call again, as `questionLeft` changes it, or ends it if
   * the peer is gone.
   */
  readonly repeat?: {
    readonly everyMs: number;
    readonly isThere: (peer: Peer) => boolean;
    readonly questionLeft: (question: Question, elapsedMs: number) => Question;
  };
}

export interface Caller<Peer, Question, Answer> {
  /**
   * Rejects when the peer fails, cannot be reached, is gone or times out. Rejects with the signal's
   * reason when that is aborted, after the peer has confirmed its end, is gone, or `cancelMaxMs`
   * have passed.
   */
  call(peer: Peer, question: Question, limits: CallLimits): Promise<Answer>;
  /** Handles an answer of this peer. Drops it if its call has ended. */
  answered(peer: Peer, message: AnswerMessage<Answer>): void;
  /** This peer is gone: ends its calls. */
  lost(peer: Peer): void;
  /** The number of open calls. */
  size(): number;
  /** Ends all open and later calls with this error. */
  close(reason: Error): void;
}

interface OpenCall<Peer, Answer> {
  readonly peer: Peer;
  settle(answer: Answer | null): void;
  end(reason: Error): void;
}

export function createCaller<Peer, Question, Answer>({
  send,
  repeat,
}: CallerOptions<Peer, Question>): Caller<Peer, Question, Answer> {
  const open = new Map<number, OpenCall<Peer, Answer>>();
  let lastId = 0;
  let closed: Error | undefined;

  function call(
    peer: Peer,
    question: Question,
    { signal, timeoutMs, cancelMaxMs }: CallLimits,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (closed !== undefined) return reject(closed);
      if (signal.aborted) return reject(signal.reason);
      const id = ++lastId;
      const beganAt = performance.now();
      if (!send(peer, { type: 'call', id, question })) return reject(new Error('nobody is there'));
      let timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
      const watch = repeat === undefined ? undefined : setInterval(look, repeat.everyMs);
      signal.addEventListener('abort', cancel, { once: true });
      open.set(id, { peer, settle, end });

      function settle(answer: Answer | null): void {
        if (!forget()) return;
        if (signal.aborted) reject(signal.reason);
        else if (answer === null) reject(new Error('the other side could not answer'));
        else resolve(answer);
      }

      function end(reason: Error): void {
        if (forget()) reject(signal.aborted ? signal.reason : reason);
      }

      /** @returns whether the call was still open. */
      function forget(): boolean {
        clearTimeout(timer);
        clearInterval(watch);
        signal.removeEventListener('abort', cancel);
        return open.delete(id);
      }

      function cancel(): void {
        clearTimeout(timer);
        send(peer, { type: 'cancel', id });
        if (cancelMaxMs === undefined) end(new Error('it was cancelled'));
        else timer = setTimeout(expire, cancelMaxMs);
      }

      /** Sends a cancel, because the peer may only be late. */
      function expire(): void {
        if (!signal.aborted) send(peer, { type: 'cancel', id });
        end(new Error('no answer in time'));
      }

      function look(): void {
        const isThere = repeat!.isThere(peer);
        if (signal.aborted || !isThere) send(peer, { type: 'cancel', id });
        if (!isThere) return end(new Error('the other side is gone'));
        if (signal.aborted) return;
        const left = repeat!.questionLeft(question, performance.now() - beganAt);
        send(peer, { type: 'call', id, question: left });
      }
    });
  }

  return {
    call,
    answered(peer, { id, answer }) {
      const waiting = open.get(id);
      if (waiting?.peer === peer) waiting.settle(answer);
    },
    lost(peer) {
      for (const waiting of [...open.values()]) {
        if (waiting.peer === peer) waiting.end(new Error('the other side is gone'));
      }
    },
    size: () => open.size,
    close(reason) {
      closed = reason;
      for (const [id, { peer, end }] of [...open]) {
        send(peer, { type: 'cancel', id });
        end(reason);
      }
    },
  };
}

export interface AnswererOptions<Peer, Question, Answer> {
  /** A rejection becomes the answer `null`: no question can end the answering process. */
  readonly answer: (question: Question, signal: AbortSignal) => Promise<Answer>;
  readonly send: (peer: Peer, message: AnswerMessage<Answer>) => void;
}

export interface Answerer<Peer, Question> {
  /** Handles a message of this peer. A repeated call is not started again. */
  heard(peer: Peer, message: ToAnswerer<Question>): void;
  /** This peer is gone: cancels its calls, without answers. */
  lost(peer: Peer): void;
  /** Cancels all calls in progress. */
  close(): void;
}

interface Asking {
  readonly running: Map<number, AbortController>;
  /** The ids of a caller ascend. */
  lastId: number;
}

export function createAnswerer<Peer, Question, Answer>({
  answer,
  send,
}: AnswererOptions<Peer, Question, Answer>): Answerer<Peer, Question> {
  const peers = new Map<Peer, Asking>();

  async function begin(peer: Peer, asking: Asking, id: number, question: Question): Promise<void> {
    const ending = new AbortController();
    asking.running.set(id, ending);
    let answered: Answer | null = null;
    try {
      answered = await answer(question, ending.signal);
    } catch {
      // The answer is `null`.
    }
    asking.running.delete(id);
    // A replacement of a lost peer starts again with id 1.
    if (peers.get(peer) !== asking) return;
    send(peer, { type: 'answer', id, answer: ending.signal.aborted ? null : answered });
  }

  function cancel(peer: Peer, asking: Asking, id: number): void {
    const ending = asking.running.get(id);
    if (ending !== undefined) return ending.abort();
    // The call never arrived, or its answer is on the way.
    asking.lastId = Math.max(asking.lastId, id);
    send(peer, { type: 'answer', id, answer: null });
  }

  return {
    heard(peer, message) {
      const asking = peers.get(peer) ?? { running: new Map(), lastId: 0 };
      peers.set(peer, asking);
      if (message.type === 'cancel') return cancel(peer, asking, message.id);
      if (message.id <= asking.lastId) return;
      asking.lastId = message.id;
      void begin(peer, asking, message.id, message.question);
    },
    lost(peer) {
      const asking = peers.get(peer);
      peers.delete(peer);
      for (const ending of asking?.running.values() ?? []) ending.abort();
    },
    close() {
      for (const { running } of peers.values())
        for (const ending of running.values()) ending.abort();
    },
  };
}

/**
 * One side calls, the other answers, over whatever carries messages: the channel of a fork, a channel of threads.
 *
 *     caller   call ─────────────▸  answerer      an answer, or `null`: it could not
 *              cancel ───────────▸                ends early; the answer is the confirmation
 *              ◂─────────── answer
 *
 * A call ends once: with its answer, with its peer, with its time, or with its signal. Neither side keeps anything
 * of it after that. Nothing here knows what is asked.
 */
export interface CallMessage<Question> {
  readonly type: 'call';
  readonly id: number;
  readonly question: Question;
}

/** Nobody needs the answer any more. */
export interface CancelMessage {
  readonly type: 'cancel';
  readonly id: number;
}

export interface AnswerMessage<Answer> {
  readonly type: 'answer';
  readonly id: number;
  /** `null`: it could not, or was cancelled. */
  readonly answer: Answer | null;
}

export type ToAnswerer<Question> = CallMessage<Question> | CancelMessage;

export interface CallLimits {
  readonly signal: AbortSignal;
  /** How long the answer may take, in milliseconds; unset: as long as it likes. */
  readonly timeoutMs?: number;
  /** How long the peer may take to confirm that it has stopped, in milliseconds; unset: nobody waits for that. */
  readonly cancelMaxMs?: number;
}

export interface CallerOptions<Peer, Question> {
  /** @returns whether it could be sent. */
  readonly send: (peer: Peer, message: ToAnswerer<Question>) => boolean;
  /**
   * Where a peer may not listen yet, and dies without a word: how often a call is looked after. Each time it is sent
   * again, as `questionLeft` makes it, or ends if the peer is not there.
   */
  readonly repeat?: {
    readonly everyMs: number;
    readonly isThere: (peer: Peer) => boolean;
    readonly questionLeft: (question: Question, elapsedMs: number) => Question;
  };
}

export interface Caller<Peer, Question, Answer> {
  /**
   * Rejects when the peer could not answer, cannot be reached, is gone or takes too long. With the signal's reason
   * when that is aborted, once the peer has confirmed its end, is gone, or `cancelMaxMs` are over.
   */
  call(peer: Peer, question: Question, limits: CallLimits): Promise<Answer>;
  /** What came from this peer. An answer that nobody waits for is dropped. */
  answered(peer: Peer, message: AnswerMessage<Answer>): void;
  /** This peer is gone: its calls end. */
  lost(peer: Peer): void;
  /** How many calls are open. */
  size(): number;
  /** Ends all calls, and every later one, with this error. */
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

      /** @returns whether it was open until now. */
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

      /** Its peer may be late rather than gone. */
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
  /** What it rejects with is told as `null`: no question ends the process that it was put to. */
  readonly answer: (question: Question, signal: AbortSignal) => Promise<Answer>;
  readonly send: (peer: Peer, message: AnswerMessage<Answer>) => void;
}

export interface Answerer<Peer, Question> {
  /** What came from this peer. A call that was heard already is not begun again. */
  heard(peer: Peer, message: ToAnswerer<Question>): void;
  /** This peer is gone: what it asked for ends early, and nobody is told. */
  lost(peer: Peer): void;
  /** Ends early what is worked on. */
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
      // Told as `null`.
    }
    asking.running.delete(id);
    // A successor of a peer that is gone counts from one again.
    if (peers.get(peer) !== asking) return;
    send(peer, { type: 'answer', id, answer: ending.signal.aborted ? null : answered });
  }

  function cancel(peer: Peer, asking: Asking, id: number): void {
    const ending = asking.running.get(id);
    if (ending !== undefined) return ending.abort();
    // It never came, or its answer is under way.
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

/** Calls several peers at once. */
import type { Caller, CallLimits } from './rpc.ts';

export interface AllAnswers<Peer, Answer> {
  readonly answers: ReadonlyMap<Peer, Answer>;
  /** Peers that could not be reached, failed, timed out or are gone. */
  readonly missing: readonly Peer[];
}

/** Rejects only when the signal is aborted, after each peer has confirmed its end or timed out. */
export async function callAll<Peer, Question, Answer>(
  caller: Caller<Peer, Question, Answer>,
  peers: readonly Peer[],
  question: Question,
  limits: CallLimits,
): Promise<AllAnswers<Peer, Answer>> {
  const answers = new Map<Peer, Answer>();
  const missing: Peer[] = [];
  await Promise.all(
    peers.map((peer) =>
      caller.call(peer, question, limits).then(
        (answer) => answers.set(peer, answer),
        () => missing.push(peer),
      ),
    ),
  );
  limits.signal.throwIfAborted();
  return { answers, missing };
}

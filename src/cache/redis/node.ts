/**
 * One server of Redis. Once it has failed it is left alone until a probe, which asks what requests
 * ask, finds it well again.
 *
 *   well ──a failure──▸ left alone ──a probe is answered──▸ well
 */
import type { ChainableCommander, Redis } from 'ioredis';
import { afterDelay, TimeoutError, within } from '../../base/within.ts';
import type { RedisPlace, ServerAddress } from '../../config/config.ts';
import type { CacheStats } from '../../telemetry/stats.ts';
import { connectTo, type TlsSettings } from './connection.ts';
import { type Greeting, greet } from './greet.ts';
import { isReply, reasonOf, UntrustedError } from './reasons.ts';
import { createTrouble, type Trouble } from './trouble.ts';

export interface NodeOptions {
  readonly server: ServerAddress;
  readonly form: RedisPlace['form'];
  readonly greeting: Greeting;
  readonly tls: TlsSettings;
  /** Asks as requests do, for what this server would have. @throws when that fails. */
  readonly probe: (client: Redis) => Promise<unknown>;
  readonly stats: CacheStats;
}

export interface RedisNode {
  readonly server: ServerAddress;
  readonly trouble: Trouble;
  /** False: it is left alone. */
  isWell(): boolean;
  /**
   * Never rejects. `undefined`: there was no good answer in time.
   * @param take makes of the answer what is wanted. @throws where it is none that was asked for.
   */
  read<Answer, Value>(
    ask: (client: Redis) => Promise<Answer>,
    take: (answer: Answer) => Value,
  ): Promise<Value | undefined>;
  /** Commands in one piece. Rejects when they get no answer; what Redis refuses is a result. */
  send(add: (pipeline: ChainableCommander) => void): Promise<readonly (Error | null)[]>;
  /** Called twice a second. */
  look(): void;
  close(): void;
}

/** A lookup that takes longer than a list from PostgreSQL is worth nothing. */
const readTimeoutMs = 50;
/** Nobody waits for what is stored, and a large piece takes a while on a slow network. */
const sendTimeoutMs = 500;
const reconnectFirstMs = 50;
const reconnectMaxMs = 1000;
/** So long without a failure, and it is well. */
const quietMs = 1000;

export function createRedisNode(options: NodeOptions): RedisNode {
  const { server, stats, form, tls, greeting } = options;
  const trouble = createTrouble(quietMs, () => performance.now());
  let isWell = false;
  let isProbing = false;
  let closed = false;
  /** Attempts to connect since a probe was answered. */
  let attempts = 0;
  /** Which connection. */
  let epoch = 0;
  let isGreeted = false;
  /** The connection brought something that it should not: what comes next may belong elsewhere. */
  let isOutOfStep = false;
  /** Commands that were given up. An answer that is still to come would be taken for another's. */
  let unanswered = 0;
  /** The server has said something on it. */
  let isAnswered = false;
  /** Its end is our doing, or was told. */
  let isExplained = false;

  const client = connectTo(server, { tls, retry: delayMs });
  client.on('ready', () => {
    epoch++;
    isGreeted = false;
    isOutOfStep = false;
    unanswered = 0;
    isAnswered = false;
    isExplained = false;
    void probe();
  });
  client.on('error', (error: Error) => {
    isExplained = true;
    fail(error);
  });
  client.on('close', () => {
    if (!isExplained) fail(new Error(isMute() ? muteText : closedText));
    isWell = false;
    isExplained = false;
  });

  /** So a port of TLS ends what is plain text. */
  function isMute(): boolean {
    return !isAnswered && tls === undefined;
  }

  /** What the wrong protocol looks like, which other causes may have too. */
  function explain(error: unknown): unknown {
    if (!(error instanceof Error && 'code' in error)) return error;
    if (tls !== undefined && error.code === 'ETIMEDOUT') return new Error(noHandshakeText);
    const isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    return isReset && isMute() ? new Error(muteText) : error;
  }

  function delayMs(): number {
    return Math.min(reconnectFirstMs * 2 ** Math.min(attempts++, 10), reconnectMaxMs);
  }

  function fail(error: unknown): void {
    isWell = false;
    if (error instanceof UntrustedError) isOutOfStep = true;
    if (closed) return;
    const reason = reasonOf(explain(error), form);
    // Rights may be given, or a password, while the connection stays.
    if (reason.isCertain) isGreeted = false;
    trouble.fail(reason);
  }

  async function limit<Value>(answer: Promise<Value>, milliseconds: number): Promise<Value> {
    try {
      return await within(answer, milliseconds);
    } catch (error) {
      if (error instanceof TimeoutError) giveUp(answer);
      else if (isReply(error)) isAnswered = true;
      throw error;
    }
  }

  function giveUp(answer: Promise<unknown>): void {
    stats.redisTimeouts++;
    unanswered++;
    const own = epoch;
    const settle = (): void => {
      if (own === epoch) unanswered--;
    };
    answer.then(settle, settle);
  }

  async function probe(): Promise<void> {
    if (closed || isProbing || client.status !== 'ready') return;
    isProbing = true;
    const own = epoch;
    try {
      if (!isGreeted) await limit(greet(client, greeting), sendTimeoutMs);
      isGreeted = true;
      await limit(options.probe(client), readTimeoutMs);
      isAnswered = true;
    } catch (error) {
      fail(error);
      return;
    } finally {
      isProbing = false;
    }
    if (own !== epoch || isOutOfStep || unanswered > 0) return;
    attempts = 0;
    isWell = true;
    trouble.succeed(false);
  }

  /** By hand, without a promise for each step: every list that memory has not passes here. */
  function read<Answer, Value>(
    ask: (client: Redis) => Promise<Answer>,
    take: (answer: Answer) => Value,
  ): Promise<Value | undefined> {
    return new Promise((resolve) => {
      const answer = ask(client);
      const cancel = afterDelay(readTimeoutMs, () => {
        giveUp(answer);
        miss(new TimeoutError(readTimeoutMs));
      });
      const miss = (error: unknown): void => {
        stats.redisFailures++;
        fail(error);
        resolve(undefined);
      };
      answer.then(
        (value) => {
          if (!cancel()) return;
          try {
            resolve(take(value));
            trouble.succeed(true);
          } catch (error) {
            miss(error);
          }
        },
        (error: unknown) => {
          if (cancel()) miss(error);
        },
      );
    });
  }

  async function send(
    add: (pipeline: ChainableCommander) => void,
  ): Promise<readonly (Error | null)[]> {
    const pipeline = client.pipeline();
    add(pipeline);
    try {
      const results = (await limit(pipeline.exec(), sendTimeoutMs)) ?? [];
      const errors = results.map(([error]) => error);
      const lost = errors.find((error) => error !== null && !isReply(error));
      if (lost !== undefined) throw lost;
      return errors;
    } catch (error) {
      stats.redisFailures++;
      fail(error);
      throw error;
    }
  }

  function look(): void {
    if (closed || client.status !== 'ready' || (isWell && trouble.current() === undefined)) return;
    if (isOutOfStep || unanswered > 0) {
      isExplained = true;
      client.disconnect(true);
    } else {
      void probe();
    }
  }

  function close(): void {
    closed = true;
    isWell = false;
    client.disconnect();
  }

  return { server, trouble, isWell: () => isWell, read, send, look, close };
}

const closedText = 'the server has closed the connection';
const noHandshakeText =
  'the TLS handshake has not ended in time: is the host there, and does the port speak TLS (REDIS_TLS)?';
const muteText = `${closedText} before it said a word: does the port speak TLS (REDIS_TLS)?`;

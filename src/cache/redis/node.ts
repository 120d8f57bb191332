/**
 * One Redis server with a circuit breaker. After a failure it gets no requests until a probe, which
 * sends the same commands as requests do, succeeds.
 *
 *   well ──a failure──▸ excluded ──a probe succeeds──▸ well
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
  /** Sends the same command as requests do. @throws when that fails. */
  readonly probe: (client: Redis) => Promise<unknown>;
  readonly stats: CacheStats;
}

export interface RedisNode {
  readonly server: ServerAddress;
  readonly trouble: Trouble;
  /** False: it gets no requests. */
  isWell(): boolean;
  /**
   * Never rejects. `undefined`: no valid reply in time.
   * @param take decodes the reply. @throws when the reply does not match the command.
   */
  read<Answer, Value>(
    ask: (client: Redis) => Promise<Answer>,
    take: (answer: Answer) => Value,
  ): Promise<Value | undefined>;
  /** Sends a pipeline. Rejects when there is no reply; a refused command is a result. */
  send(add: (pipeline: ChainableCommander) => void): Promise<readonly (Error | null)[]>;
  /** Called twice a second. */
  look(): void;
  close(): void;
}

/** A lookup that takes longer than a read from PostgreSQL is useless. */
const readTimeoutMs = 50;
/** Stores happen in the background; a large pipeline takes a while on a slow network. */
const sendTimeoutMs = 500;
const reconnectFirstMs = 50;
const reconnectMaxMs = 1000;
/** Without a failure for this long, the server is healthy. */
const quietMs = 1000;

export function createRedisNode(options: NodeOptions): RedisNode {
  const { server, stats, form, tls, greeting } = options;
  const trouble = createTrouble(quietMs, () => performance.now());
  let isWell = false;
  let isProbing = false;
  let closed = false;
  /** Connection attempts since the last successful probe. */
  let attempts = 0;
  /** The number of the connection. */
  let epoch = 0;
  let isGreeted = false;
  /** A reply did not match its command, so later replies may not either. */
  let isOutOfStep = false;
  /** Commands that timed out. A late reply would be taken for that of another command. */
  let unanswered = 0;
  /** The server has sent something on this connection. */
  let isAnswered = false;
  /** The end of the connection was intended, or has been reported. */
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

  /** A TLS port closes a plain-text connection like this. */
  function isMute(): boolean {
    return !isAnswered && tls === undefined;
  }

  /** The typical signs of the wrong protocol, which have other causes too. */
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
    // A password or ACL may be fixed while the connection stays open.
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

  /** Callbacks instead of async: each list that is not in memory passes here. */
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

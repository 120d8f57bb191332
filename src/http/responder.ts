/** From an answer of the executor, or a failure, to the socket. */
import { messageOf } from '../base/error-message.ts';
import { type ResponseItem, replayedFlag } from '../batching/frames.ts';
import { taskEtag } from '../contract/entity-tags.ts';
import { type ProblemCode, problemCodes, problems } from '../contract/problems.ts';
import { type Cors, createCors } from './cors.ts';
import type { Exchange, Traffic } from './exchange.ts';
import { createReplies, type ListReply, type Replies, type RepliesOptions } from './reply.ts';

export interface ResponderOptions {
  /** True once connections must end with their next answer. */
  readonly isClosing: () => boolean;
  readonly onAnswer: RepliesOptions['onAnswer'];
  readonly moreHeaders: RepliesOptions['moreHeaders'];
  /** A failure whose cause the client must not see. */
  readonly onFailure: (exchange: Exchange, code: ProblemCode, cause: string) => void;
  /** Origins that may read answers in a browser; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Names of headers that their pages may send beside those that the service reads. */
  readonly corsHeaders: readonly string[];
  /** What a proxy in front takes off the path; empty: nothing. */
  readonly basePath: string;
}

export interface Responder {
  readonly traffic: Traffic;
  readonly cors: Cors | undefined;
  readonly replies: Replies;
  /** Sends what the executor answered. */
  answer(exchange: Exchange, item: ResponseItem): void;
  answerList(exchange: Exchange, list: ListReply): void;
  /** Sends an expected failure. */
  fail(exchange: Exchange, code: ProblemCode, cause: string): void;
  failForBug(exchange: Exchange, error: unknown): void;
}

export function createResponder(options: ResponderOptions): Responder {
  const { isClosing, onAnswer, onFailure, moreHeaders, basePath } = options;
  const traffic: Traffic = { open: 0, opened: 0 };
  const cors = createCors(options.corsOrigins, options.corsHeaders);
  const replies = createReplies({ isClosing, traffic, cors, onAnswer, moreHeaders });

  function answer(exchange: Exchange, item: ResponseItem): void {
    if (item.problem !== 0) {
      const code = problemCodes[item.problem - 1]!;
      return fail(exchange, code, Buffer.from(item.body).toString());
    }
    if (item.status === 204) return replies.noContent(exchange);
    if (item.status >= 400) return replies.faults(exchange, item.status, item.body);
    const etag = taskEtag(item.id, item.version);
    if (item.status === 201) {
      const location = `${basePath}/api/tasks/${item.id}`;
      const isReplayed = (item.flags & replayedFlag) !== 0;
      return replies.created(exchange, item.body, { location, etag, isReplayed });
    }
    replies.ok(exchange, item.body, etag);
  }

  function fail(exchange: Exchange, code: ProblemCode, cause: string): void {
    // What a rule of the database's owner refuses is the client's affair, and its owner's.
    if (problems[code].status >= 500 || code === 'rejected') onFailure(exchange, code, cause);
    replies.problem(exchange, code);
  }

  function failForBug(exchange: Exchange, error: unknown): void {
    fail(exchange, 'internal', messageOf(error));
  }

  return { traffic, cors, replies, answer, answerList: replies.list, fail, failForBug };
}

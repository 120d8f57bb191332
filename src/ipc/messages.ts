/** The messages between the primary and a front end, over the channel of the fork. */
import type { AdminAnswer } from '../admin/admin-page.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { ProcessRecording, ProfileQuestion } from '../telemetry/pprof/recording.ts';
import type { FrontEndOptions } from './front-end-options.ts';
import type { AnswerMessage, ToAnswerer } from './rpc.ts';

/**
 * A request for a page for operators. Plain data, because messages are copied between processes.
 */
export interface PageQuestion {
  readonly path: string;
  readonly query: string;
  readonly accept: string;
}

export type ToFrontEnd =
  | {
      readonly type: 'start';
      readonly options: FrontEndOptions;
      readonly logLevel: LogLevel;
      readonly secrets: readonly string[];
      /** The schema is up to date. */
      readonly opened: boolean;
      /** The service is draining: serve, and fail the readiness probe. */
      readonly draining: boolean;
    }
  /** The schema has been brought up to date. */
  | { readonly type: 'open' }
  | { readonly type: 'drain' }
  /** The primary requests this process's part of a profile. */
  | { readonly type: 'profile'; readonly rpc: ToAnswerer<ProfileQuestion> }
  | { readonly type: 'page'; readonly rpc: AnswerMessage<AdminAnswer> }
  | { readonly type: 'stop' };

export type ToPrimary =
  /**
   * The front end listens to messages now. Its modules load asynchronously, and earlier messages
   * are lost.
   */
  | { readonly type: 'online' }
  | { readonly type: 'listening'; readonly httpServer: string }
  | { readonly type: 'profile'; readonly rpc: AnswerMessage<ProcessRecording> }
  /** A client of the front end requests a page for operators. */
  | { readonly type: 'page'; readonly rpc: ToAnswerer<PageQuestion> }
  | { readonly type: 'failed'; readonly reason: string };

/** What the primary and a front end say to each other over the channel that the fork made. */
import type { AdminAnswer } from '../admin/admin-page.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { ProcessRecording, ProfileQuestion } from '../telemetry/pprof/recording.ts';
import type { FrontEndOptions } from './front-end-options.ts';
import type { AnswerMessage, ToAnswerer } from './rpc.ts';

/** A page for operators, as a client asks a front end for it. What is between processes is copied: plain data. */
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
      /** The service is about to stop: serve, and do not say that you are ready. */
      readonly draining: boolean;
    }
  /** The schema is up to date now. */
  | { readonly type: 'open' }
  | { readonly type: 'drain' }
  /** The primary asks for the part of this process in a profile. */
  | { readonly type: 'profile'; readonly rpc: ToAnswerer<ProfileQuestion> }
  | { readonly type: 'page'; readonly rpc: AnswerMessage<AdminAnswer> }
  | { readonly type: 'stop' };

export type ToPrimary =
  /** It listens to messages now: modules load asynchronously, and what came before is lost. */
  | { readonly type: 'online' }
  | { readonly type: 'listening'; readonly httpServer: string }
  | { readonly type: 'profile'; readonly rpc: AnswerMessage<ProcessRecording> }
  /** A client of the front end wants a page for operators. */
  | { readonly type: 'page'; readonly rpc: ToAnswerer<PageQuestion> }
  | { readonly type: 'failed'; readonly reason: string };

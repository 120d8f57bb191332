/** What the primary and a front end say to each other over the channel that the fork made. */
import type { AdminAnswer } from '../admin/admin-page.ts';
import type { LogLevel } from '../telemetry/log.ts';
import type { ProcessRecording, ProfileQuestion } from '../telemetry/pprof/recording.ts';
import type { FrontEndOptions } from './front-end-options.ts';

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
  | { readonly type: 'ask'; readonly id: number; readonly question: ProfileQuestion }
  /** Nobody waits for the answer any more. */
  | { readonly type: 'cancel'; readonly id: number }
  /** What `visit` asked for; `null`: it failed. */
  | { readonly type: 'page'; readonly id: number; readonly answer: AdminAnswer | null }
  | { readonly type: 'stop' };

export type ToPrimary =
  /** It listens to messages now: modules load asynchronously, and what came before is lost. */
  | { readonly type: 'online' }
  | { readonly type: 'listening'; readonly httpServer: string }
  /** `null`: it could not. */
  | { readonly type: 'answer'; readonly id: number; readonly recording: ProcessRecording | null }
  /** A client wants a page of the administration. */
  | {
      readonly type: 'visit';
      readonly id: number;
      readonly path: string;
      readonly query: string;
      readonly accept: string;
    }
  /** That client has gone. */
  | { readonly type: 'leave'; readonly id: number }
  | { readonly type: 'failed'; readonly reason: string };

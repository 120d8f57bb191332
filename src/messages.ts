/** What the primary and a front end say to each other over the channel that the fork made. */
import type { FrontEndOptions } from './frontend.ts';
import type { LogLevel } from './telemetry/log.ts';

export type ToFrontEnd =
  | {
      readonly type: 'start';
      readonly options: FrontEndOptions;
      readonly logLevel: LogLevel;
      /** The schema is up to date. */
      readonly opened: boolean;
      /** The service is about to stop: serve, and do not say that you are ready. */
      readonly draining: boolean;
    }
  /** The schema is up to date now. */
  | { readonly type: 'open' }
  | { readonly type: 'drain' }
  | { readonly type: 'stop' };

export type ToPrimary =
  /** It listens to messages now: modules load asynchronously, and what came before is lost. */
  | { readonly type: 'online' }
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly reason: string };

/** Restarts the embedded database when it dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/error-message.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Postmaster } from './postmaster.ts';
import { identityOf, isAlive } from './processes.ts';

export interface Watch {
  /** Resolves when no start is in progress. */
  end(): Promise<void>;
}

export interface WatchOptions {
  readonly restart: () => Promise<Postmaster>;
  readonly log: Logger;
}

/** Polling: an adopted server is not a child, so its end causes no event. */
const intervalMs = 250;
const backOffMaxMs = 5000;

export function watchServer(first: Postmaster, { restart, log }: WatchOptions): Watch {
  let server = first;
  let ended = false;
  let restarting: Promise<void> | undefined;
  const timer = setInterval(look, intervalMs);
  timer.unref();

  function look(): void {
    if (restarting !== undefined || lives(server)) return;
    log.error('the embedded database died', { pid: server.pid });
    restarting = bringBack().finally(() => {
      restarting = undefined;
    });
  }

  async function bringBack(): Promise<void> {
    for (let waitMs = intervalMs; !ended; waitMs = Math.min(waitMs * 2, backOffMaxMs)) {
      try {
        server = await restart();
        return;
      } catch (error) {
        log.error(messageOf(error));
        await sleep(waitMs, undefined, { ref: false });
      }
    }
  }

  return {
    async end() {
      ended = true;
      clearInterval(timer);
      await restarting;
    },
  };
}

function lives({ pid, identity }: Postmaster): boolean {
  return isAlive(pid) && identityOf(pid) === identity;
}

/** Logs changes of the state of Redis: one line for each change. */
import type { Logger } from '../../telemetry/log.ts';
import type { Reason } from './reasons.ts';
import type { Trouble } from './trouble.ts';

export interface ToldMessages {
  /** Logged when it first works; `undefined`: not worth a line. */
  readonly first?: string;
  readonly lost: string;
  readonly found: string;
}

export interface Told {
  /**
   * Called twice a second.
   * @param troubles of all servers and of the sources of their addresses.
   * @param isUsed false: the state is not known yet.
   */
  look(troubles: readonly NamedTrouble[], isUsed: boolean): void;
  isWell(): boolean;
}

export interface NamedTrouble {
  /** The server's name; `undefined`: there is only one. */
  readonly server?: string;
  readonly trouble: Trouble;
}

type State = 'unknown' | 'well' | Reason;

export function createTold(log: Logger, { first, lost, found }: ToldMessages): Told {
  let state: State = 'unknown';

  function look(troubles: readonly NamedTrouble[], isUsed: boolean): void {
    if (troubles.some(({ trouble }) => trouble.current() !== undefined)) {
      lookAtTrouble(troubles);
    } else if (isUsed && state !== 'well') {
      const message = state === 'unknown' ? first : found;
      state = 'well';
      if (message !== undefined) log.info(message);
    }
  }

  function lookAtTrouble(troubles: readonly NamedTrouble[]): void {
    const lasting = troubles.filter(({ trouble }) => trouble.isLasting());
    const worst = lasting.find(({ trouble }) => trouble.current()!.isCertain) ?? lasting[0];
    const reason = worst?.trouble.current();
    if (reason === undefined || !isNews(reason)) return;
    state = reason;
    log[reason.isCertain ? 'error' : 'warn'](lost, {
      reason: reason.text,
      ...(worst!.server === undefined ? {} : { server: worst!.server }),
    });
  }

  /** All reasons for "down" are one state. A configuration error is another one. */
  function isNews(reason: Reason): boolean {
    if (typeof state === 'string') return true;
    return reason.isCertain && (!state.isCertain || state.kind !== reason.kind);
  }

  return { look, isWell: () => state === 'well' };
}

/** Pages that the primary makes for clients of this front end. */
import type { AdminAnswer, AdminPage } from '../admin/admin-page.ts';
import type { ToPrimary } from '../ipc/messages.ts';

export interface Visits {
  /** Rejects when too many are open, when the client goes, and at the end. */
  readonly visit: AdminPage;
  answered(id: number, answer: AdminAnswer | null): void;
  /** Gives up those that are open, and every later one. */
  close(): void;
}

interface Open {
  resolve(answer: AdminAnswer): void;
  reject(error: Error): void;
}

const openMax = 32;

export function createVisits(tell: (message: ToPrimary) => void): Visits {
  const open = new Map<number, Open>();
  let lastId = 0;
  let closed = false;

  function visit(
    { path, query, accept }: Parameters<AdminPage>[0],
    signal: AbortSignal,
  ): Promise<AdminAnswer> {
    if (closed) return Promise.reject(new Error('the front end stops'));
    if (open.size >= openMax) return Promise.reject(new Error('too many pages are being made'));
    const id = ++lastId;
    return new Promise<AdminAnswer>((resolve, reject) => {
      open.set(id, { resolve, reject });
      signal.addEventListener('abort', () => giveUp(id, 'the client has gone'), { once: true });
      // What is between processes must be copied, and a URLSearchParams cannot be.
      tell({ type: 'visit', id, path, query: query.toString(), accept });
    });
  }

  function giveUp(id: number, reason: string): void {
    const waiting = open.get(id);
    if (waiting === undefined) return;
    open.delete(id);
    tell({ type: 'leave', id });
    waiting.reject(new Error(reason));
  }

  return {
    visit,
    answered(id, answer) {
      const waiting = open.get(id);
      open.delete(id);
      if (answer === null) waiting?.reject(new Error('the page failed'));
      else waiting?.resolve(answer);
    },
    close() {
      closed = true;
      for (const id of [...open.keys()]) giveUp(id, 'the front end stops');
    },
  };
}

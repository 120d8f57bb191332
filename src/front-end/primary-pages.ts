/** Pages for operators, made by the primary for the clients of this front end. */
import type { AdminAnswer, AdminPage } from '../admin/admin-page.ts';
import type { PageQuestion } from '../ipc/messages.ts';
import { type AnswerMessage, createCaller, type ToAnswerer } from '../ipc/rpc.ts';

export interface PrimaryPages {
  /**
   * Rejects when too many are open, the page fails, the client disconnects, or the primary is gone.
   */
  readonly visit: AdminPage;
  answered(message: AnswerMessage<AdminAnswer>): void;
  /** Fails the open pages and every later one. */
  close(): void;
}

const openMax = 32;
/** The primary's id as a peer: there is only one. */
const primary = 0;

export function createPrimaryPages(
  tell: (message: ToAnswerer<PageQuestion>) => void,
): PrimaryPages {
  const caller = createCaller<typeof primary, PageQuestion, AdminAnswer>({
    send(_, message) {
      tell(message);
      return true;
    },
  });
  return {
    async visit({ path, query, accept }, signal) {
      if (caller.size() >= openMax) throw new Error('too many pages are being made');
      return caller.call(primary, { path, query: query.toString(), accept }, { signal });
    },
    answered: (message) => caller.answered(primary, message),
    close: () => caller.close(new Error('the front end stops')),
  };
}

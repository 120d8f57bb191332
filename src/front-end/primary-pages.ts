/** Pages for operators that the primary makes for clients of this front end. */
import type { AdminAnswer, AdminPage } from '../admin/admin-page.ts';
import type { PageQuestion } from '../ipc/messages.ts';
import { type AnswerMessage, createCaller, type ToAnswerer } from '../ipc/rpc.ts';

export interface PrimaryPages {
  /** Rejects when too many are open, when the page fails, when the client goes, and at the end. */
  readonly visit: AdminPage;
  answered(message: AnswerMessage<AdminAnswer>): void;
  /** Gives up those that are open, and every later one. */
  close(): void;
}

const openMax = 32;
/** There is one primary. */
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

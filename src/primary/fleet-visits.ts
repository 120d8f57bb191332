/** Pages that the primary makes for clients of the front ends. */
import type { AdminPage } from '../admin/admin-page.ts';
import type { ToFrontEnd, ToPrimary } from '../ipc/messages.ts';

export interface FleetVisits {
  came(number: number, visit: Extract<ToPrimary, { type: 'visit' }>): void;
  /** The client has gone. */
  left(number: number, id: number): void;
  /** The front end has gone, and its clients with it. */
  lost(number: number): void;
}

/** @param tell sends to one front end. */
export function createFleetVisits(
  page: AdminPage,
  tell: (number: number, message: ToFrontEnd) => void,
): FleetVisits {
  const open = new Map<number, Map<number, AbortController>>();

  async function answer(
    number: number,
    { id, path, query, accept }: Extract<ToPrimary, { type: 'visit' }>,
  ): Promise<void> {
    const visits = open.get(number) ?? new Map<number, AbortController>();
    open.set(number, visits);
    const gone = new AbortController();
    visits.set(id, gone);
    const request = { path, query: new URLSearchParams(query), accept };
    // What failed is told as such; a page is no reason to end the primary.
    const answered = await page(request, gone.signal).catch(() => null);
    visits.delete(id);
    if (!gone.signal.aborted) tell(number, { type: 'page', id, answer: answered });
  }

  return {
    came: (number, visit) => void answer(number, visit),
    left: (number, id) => open.get(number)?.get(id)?.abort(),
    lost(number) {
      for (const gone of open.get(number)?.values() ?? []) gone.abort();
      open.delete(number);
    },
  };
}

/**
 * Finds stale responses in the recorded events. Pure. It has no false positives: it reports a
 * response only if no order of the events explains it.
 */
import type { FreshnessEvent, ListEvent, ReadEvent, WriteEvent } from './events.ts';

export interface Verdict {
  readonly operations: number;
  readonly violations: readonly string[];
}

export function checkEvents(events: readonly FreshnessEvent[]): Verdict {
  const violations: string[] = [];
  const groups = new Map<number, { writes: WriteEvent[]; reads: (ListEvent | ReadEvent)[] }>();
  const groupOf = (number: number) => {
    const known = groups.get(number) ?? { writes: [], reads: [] };
    groups.set(number, known);
    return known;
  };
  for (const event of events) {
    switch (event.type) {
      case 'write':
        groupOf(event.group).writes.push(event);
        break;
      case 'list':
      case 'read':
        groupOf(event.group).reads.push(event);
        break;
      case 'walk':
        violations.push(...checkWalk(event));
        break;
    }
  }
  for (const { writes, reads } of groups.values()) violations.push(...checkGroup(writes, reads));
  return { operations: events.length, violations };
}

function checkWalk(walk: Extract<FreshnessEvent, { type: 'walk' }>): string[] {
  const found: string[] = [];
  if (walk.repeated.length > 0) found.push(`walk ${walk.path} repeated ${walk.repeated.join(' ')}`);
  if (walk.missing.length > 0) found.push(`walk ${walk.path} missed ${walk.missing.join(' ')}`);
  return found;
}

/**
 * State 0 is the empty group; state k is the group after write k. A response must show a state
 * between the last one acknowledged before the request and the last one begun before the response.
 * It must not be older than a state that an earlier response showed.
 */
function checkGroup(
  unsorted: readonly WriteEvent[],
  reads: readonly (ListEvent | ReadEvent)[],
): string[] {
  const violations: string[] = [];
  const writes = unsorted.toSorted((one, other) => one.start - other.start);
  const states = ['', ...writes.map(({ state }) => state)];
  const byEnd = reads.toSorted((one, other) => one.end - other.end);
  const byStart = reads.toSorted((one, other) => one.start - other.start);
  /** The earliest state that the response may show. */
  const placeOf = new Map<ListEvent | ReadEvent, number>();

  for (const read of byEnd) {
    const least = countBefore(writes, (write) => write.end !== null && write.end <= read.start);
    const most = countBefore(writes, (write) => write.start <= read.end);
    let place = least;
    while (place <= most && !shows(read, states[place]!)) place++;
    if (place > most) {
      violations.push(
        `${describe(read)} is none of the states ${least} to ${most}: ${states.slice(least, most + 1).join(' | ')}`,
      );
    } else {
      placeOf.set(read, place);
    }
    if (read.type === 'list' && read.total !== titlesIn(read.state)) {
      violations.push(`${describe(read)} says total ${read.total}`);
    }
  }

  // No later request may see an older state than one that a response has shown.
  let surely = 0;
  let next = 0;
  const ended = byEnd.filter((read) => placeOf.has(read));
  for (const read of byStart) {
    while (next < ended.length && ended[next]!.end <= read.start) {
      surely = Math.max(surely, placeOf.get(ended[next]!)!);
      next++;
    }
    if (!placeOf.has(read)) continue;
    const most = countBefore(writes, (write) => write.start <= read.end);
    let place = Math.max(surely, placeOf.get(read)!);
    while (place <= most && !shows(read, states[place]!)) place++;
    if (place > most)
      violations.push(`${describe(read)} no longer shows state ${surely}: ${states[surely]}`);
    else placeOf.set(read, place);
  }
  return violations;
}

/** The writes of a group are sequential, so the matching ones are a prefix. */
function countBefore(writes: readonly WriteEvent[], fits: (write: WriteEvent) => boolean): number {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(writes[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shows(read: ListEvent | ReadEvent, state: string): boolean {
  if (read.type === 'list') return read.state === state;
  const title = state.split(' ').find((one) => one.startsWith(read.task)) ?? null;
  return read.title === title;
}

function titlesIn(state: string): number {
  return state === '' ? 0 : state.split(' ').length;
}

function describe(read: ListEvent | ReadEvent): string {
  const what =
    read.type === 'list'
      ? `${read.path} = ${read.state || 'nothing'}`
      : `${read.task} = ${read.title}`;
  return `group ${read.group} at ${read.start.toFixed(1)}..${read.end.toFixed(1)}: ${what}`;
}

/** Matches rows to requests: each request gets its row, or all requests get a failure. */
import { impossibleRows } from './failures.ts';

export interface PlacedRow<Answer> {
  /** The index of its request in the batch, from 1; or the requested id. */
  readonly place: number;
  readonly answer: Answer;
}

/** @throws when a row belongs to no request, or is the second one of a request. */
export function byPlace<Answer>(
  rows: readonly PlacedRow<Answer>[],
  places: readonly number[],
): ReadonlyMap<number, Answer> {
  const found = new Map<number, Answer>();
  for (const { place, answer } of rows) found.set(place, answer);
  if (found.size !== rows.length) throw impossibleRows('two for one request');
  let known = 0;
  for (const place of new Set(places)) if (found.has(place)) known++;
  if (known !== found.size) throw impossibleRows('one that nobody asked for');
  return found;
}

/** The same for indexes from 1. @returns `otherwise` for a request without a row. */
export function atPlaces<Answer>(
  rows: readonly PlacedRow<Answer>[],
  count: number,
  otherwise: Answer,
): Answer[] {
  const answers = new Array<Answer>(count).fill(otherwise);
  const taken = new Array<boolean>(count).fill(false);
  for (const { place, answer } of rows) {
    if (taken[place - 1] !== false) throw impossibleRows('two for one request, or one for none');
    taken[place - 1] = true;
    answers[place - 1] = answer;
  }
  return answers;
}

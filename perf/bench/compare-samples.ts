/**
 * Ratios of this service to other subjects. Each is computed within a round, so that a slow round
 * cancels out.
 */
import { type Spread, spreadOf } from '../support/statistics.ts';
import type { OperationName } from './operations.ts';
import type { BenchSamples, ClosedSample, OpenSample } from './samples.ts';

export interface Place {
  readonly operation: OperationName;
  readonly connections: number;
}

export function closedOf(
  samples: BenchSamples,
  { operation, connections }: Place,
  subject: string,
): readonly ClosedSample[] {
  return samples.closed.filter(
    (sample) =>
      sample.operation === operation &&
      sample.connections === connections &&
      sample.subject === subject,
  );
}

export function openOf(
  samples: BenchSamples,
  operation: OperationName,
  subject: string,
): readonly OpenSample[] {
  return samples.open.filter(
    (sample) => sample.operation === operation && sample.subject === subject,
  );
}

/** @returns undefined if no round has both. */
export function ratioTo(
  ours: readonly ClosedSample[],
  theirs: readonly ClosedSample[],
  of: (sample: ClosedSample) => number,
): Spread | undefined {
  const ratios = ours.flatMap((sample) => {
    const others = theirs.filter(({ round }) => round === sample.round);
    return others.map((other) => of(sample) / of(other));
  });
  return ratios.length === 0 ? undefined : spreadOf(ratios);
}

/** A server sustains an offered rate if it answers all but a few requests successfully. */
export function holdsRate({ goodRate, rate }: OpenSample): boolean {
  return goodRate >= 0.98 * rate;
}

/** The targets of this service, and whether it met them. */
import type { Memory } from '../support/memory.ts';
import { type Spread, spreadOf } from '../support/statistics.ts';
import { closedOf, holdsRate, openOf, ratioTo } from './compare-samples.ts';
import { titleOf } from './names.ts';
import { type OperationName, operationNames, operations } from './operations.ts';
import { peers } from './peers.ts';
import type { BenchSamples, ClosedSample } from './samples.ts';
import { oursName } from './subjects.ts';

export interface Line {
  readonly number: number;
  readonly what: string;
  readonly wanted: string;
  readonly got: Spread;
  readonly reached: boolean;
}

type Bound = { readonly least: number } | { readonly most: number };

interface RateTarget {
  readonly number: number;
  readonly operation: OperationName;
  readonly connections: number;
  readonly to: string;
  readonly toConnections?: number;
  readonly least: number;
}

const rateTargets: readonly RateTarget[] = [
  { number: 1, operation: 'get', connections: 64, to: 'fastify-pg', least: 4 },
  { number: 1, operation: 'get', connections: 64, to: 'go-gin-pgx', least: 3 },
  {
    number: 1,
    operation: 'get',
    connections: 64,
    to: 'pgbench-select',
    toConnections: 8,
    least: 1,
  },
  { number: 2, operation: 'post', connections: 64, to: 'fastify-pg', least: 4 },
  { number: 2, operation: 'post', connections: 64, to: 'go-gin-pgx', least: 3 },
  {
    number: 2,
    operation: 'post',
    connections: 64,
    to: 'pgbench-insert-without-triggers',
    toConnections: 32,
    least: 1.3,
  },
  { number: 2, operation: 'put', connections: 64, to: 'fastify-pg', least: 3 },
  { number: 2, operation: 'put', connections: 64, to: 'go-gin-pgx', least: 3 },
  { number: 2, operation: 'delete', connections: 64, to: 'fastify-pg', least: 3 },
  { number: 2, operation: 'delete', connections: 64, to: 'go-gin-pgx', least: 3 },
  { number: 3, operation: 'list', connections: 256, to: 'bare', least: 0.8 },
  { number: 3, operation: 'list', connections: 64, to: 'bare', least: 0.6 },
  { number: 3, operation: 'list', connections: 256, to: 'fastify-redis', least: 4 },
];
const p50ToFastestMost = 1.15;
const p99ToP50Most = 5;
const startMostMs = 1000;
const memoryMostMiB = 400;

export function acceptance(samples: BenchSamples): readonly Line[] {
  return [
    ...rateTargets.flatMap((target) => rateLine(samples, target)),
    ...operationNames.flatMap((name) => aloneLine(samples, name)),
    ...operationNames.flatMap((name) => tailLines(samples, name)),
    ...resourceLines(samples),
  ];
}

function rateLine(samples: BenchSamples, target: RateTarget): Line[] {
  const { operation, connections, to, number, least } = target;
  const ratio = ratioTo(
    closedOf(samples, { operation, connections }, oursName),
    closedOf(samples, { operation, connections: target.toConnections ?? connections }, to),
    ({ rate }) => rate,
  );
  const what = `${operations[operation].title}, ${connections} connections: times ${titleOf(to)}`;
  return line(number, what, ratio, { least });
}

/** The ratio to the fastest peer of each round. */
function aloneLine(samples: BenchSamples, operation: OperationName): Line[] {
  const place = { operation, connections: 1 };
  const ratios = closedOf(samples, place, oursName).flatMap((sample) => {
    const best = Math.min(
      ...peers.flatMap(({ name }) =>
        closedOf(samples, place, name)
          .filter(({ round }) => round === sample.round)
          .map(({ latencyUs }) => latencyUs.p50),
      ),
    );
    return Number.isFinite(best) ? sample.latencyUs.p50 / best : [];
  });
  const what = `${operations[operation].title}, one connection: p50 to that of the fastest peer`;
  return line(4, what, ratios.length === 0 ? undefined : spreadOf(ratios), {
    most: p50ToFastestMost,
  });
}

function tailLines(samples: BenchSamples, operation: OperationName): Line[] {
  const ours = openOf(samples, operation, oursName);
  if (ours.length === 0) return [];
  const { title } = operations[operation];
  const rate = `${title}, open loop at ${Math.round(ours[0]!.rate)}/s`;
  const own = spreadOf(ours.map(({ goodUs }) => goodUs.p99 / goodUs.p50));
  const toBest = ours.flatMap((sample) => {
    const others = samples.open.filter(
      (other) =>
        other.operation === operation &&
        other.round === sample.round &&
        peers.some(({ name }) => name === other.subject) &&
        holdsRate(other),
    );
    return others.length === 0
      ? []
      : sample.goodUs.p99 / Math.min(...others.map(({ goodUs }) => goodUs.p99));
  });
  return [
    ...line(5, `${rate}: p99 to own p50`, own, { most: p99ToP50Most }),
    ...line(
      5,
      `${rate}: p99 to the best p99 of the peers that hold this rate`,
      toBest.length === 0 ? undefined : spreadOf(toBest),
      { most: 1 },
    ),
  ];
}

function resourceLines(samples: BenchSamples): Line[] {
  const start = samples.startMs.length === 0 ? undefined : spreadOf(samples.startMs);
  const memories = samples.closed.filter(isOurs).flatMap(({ memory }) => memory ?? []);
  const most = memories.length === 0 ? undefined : spreadOf(memories.map(resident));
  return [
    ...line(6, 'start to first answer, warm, embedded database, ms', start, { most: startMostMs }),
    ...line(
      6,
      'resident memory of all our Node processes under load, MiB; the largest counts',
      most === undefined ? undefined : { ...most, median: most.max },
      { most: memoryMostMiB },
    ),
  ];
}

function isOurs({ subject }: ClosedSample): boolean {
  return subject === oursName;
}

function resident({ residentMiB }: Memory): number {
  return residentMiB;
}

function line(number: number, what: string, got: Spread | undefined, bound: Bound): Line[] {
  if (got === undefined) return [];
  const isLeast = 'least' in bound;
  const reached = isLeast ? got.median >= bound.least : got.median <= bound.most;
  const wanted = isLeast ? `at least ${bound.least}` : `at most ${bound.most}`;
  return [{ number, what, wanted, got, reached }];
}

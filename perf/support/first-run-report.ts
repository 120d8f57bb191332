/** The table of the first measurement. */
import type { Setting } from './machine.ts';
import { connectionsTitle, microseconds, ratio, table, whole, withSpread } from './markdown.ts';
import type { Operation, Options } from './options.ts';
import type { Measured } from './run.ts';
import { cpuPerRequest } from './sample.ts';
import { spreadOf } from './statistics.ts';

const titles: Readonly<Record<Operation, string>> = {
  get: 'GET /api/tasks/:id',
  post: 'POST /api/tasks',
};
const names: Readonly<Record<string, string>> = {
  ours: '**this service**',
  fastify: 'Fastify + pg',
  'fastify-without-triggers': 'Fastify + pg, table without triggers',
  pgbench: 'pgbench',
  'pgbench-without-triggers': 'pgbench, table without triggers',
};
const absent = '–';

export function firstRunReport(
  settings: readonly Setting[],
  options: Options,
  samples: readonly Measured[],
): string {
  const parts = [
    '# First measurement: GET by id and POST on 1 000 000 tasks',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${options.rounds} interleaved rounds, ${options.seconds} s each after ` +
      `${options.warmupSeconds} s of warm-up; load generator, servers and PostgreSQL on the same cores. ` +
      'Ratios are medians of the ratios within a round. pgbench has clients in place of connections; ' +
      'beyond one connection its best client count of the round is what the ratio refers to. ' +
      'How to read this: [perf/README.md](../README.md).',
    disturbance(samples),
  ];
  for (const operation of options.operations) {
    const own = samples.filter((sample) => sample.operation === operation);
    parts.push(`## ${titles[operation]}`, rates(own), '### Ratios of this service', ratios(own));
    parts.push('### CPU µs per request', cpu(own));
  }
  return `${parts.join('\n\n')}\n`;
}

function disturbance(samples: readonly Measured[]): string {
  const stolen = samples.flatMap((sample) => sample.stolen ?? []);
  if (stolen.length === 0) return 'This system does not tell how much of its time others took.';
  const { median, max } = spreadOf(stolen);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return `Time that the machine was lent to other guests: median ${percent(median)}, at most ${percent(max)}.`;
}

function rates(samples: readonly Measured[]): string {
  return table(
    ['', 'connections', 'requests/s', 'p50 µs', 'p99 µs'],
    cases(samples).map((runs) => [
      names[runs[0]!.subject]!,
      String(runs[0]!.connections),
      withSpread(spreadOf(runs.map((run) => run.rate)), whole),
      withSpread(spreadOf(runs.map((run) => run.latencyUs.p50)), microseconds),
      withSpread(spreadOf(runs.map((run) => run.latencyUs.p99)), microseconds),
    ]),
  );
}

function cpu(samples: readonly Measured[]): string {
  const cell = (runs: readonly Measured[], group: string): string => {
    const values = runs.flatMap((run) => cpuPerRequest(run, group) ?? []);
    return values.length === 0 ? absent : microseconds(spreadOf(values).median);
  };
  return table(
    ['', 'connections', 'service', 'PostgreSQL', 'service + PostgreSQL', 'client', 'cores idle'],
    cases(samples).map((runs) => {
      const idle = runs.flatMap((run) => run.idle ?? []);
      const sums = runs.flatMap((run) => {
        const postgres = cpuPerRequest(run, 'postgres');
        return postgres === null ? [] : postgres + (cpuPerRequest(run, 'service') ?? 0);
      });
      return [
        names[runs[0]!.subject]!,
        String(runs[0]!.connections),
        cell(runs, 'service'),
        cell(runs, 'postgres'),
        sums.length === 0 ? absent : microseconds(spreadOf(sums).median),
        cell(runs, 'client'),
        idle.length === 0 ? absent : `${(spreadOf(idle).median * 100).toFixed(0)} %`,
      ];
    }),
  );
}

function ratios(samples: readonly Measured[]): string {
  const ours = cases(samples.filter((sample) => sample.subject === 'ours'));
  const others = Object.keys(names).filter(
    (name) => name !== 'ours' && samples.some((sample) => sample.subject === name),
  );
  return table(
    ['to', ...ours.map((runs) => connectionsTitle(runs[0]!.connections))],
    [
      ...others.map((other) => [
        names[other]!,
        ...ours.map((runs) => rateRatio(runs, samples, other)),
      ]),
      [
        'p50 to that of Fastify + pg (less is better)',
        ...ours.map((runs) => p50Ratio(runs, samples)),
      ],
    ],
  );
}

function rateRatio(ours: readonly Measured[], samples: readonly Measured[], other: string): string {
  const values = ours.flatMap((run) => {
    const best = Math.max(
      ...samples
        .filter((sample) => sample.round === run.round && sample.subject === other)
        .filter((sample) => isCounterpart(run, sample))
        .map((sample) => sample.rate),
    );
    return Number.isFinite(best) ? run.rate / best : [];
  });
  return formatRatio(values);
}

function isCounterpart(ours: Measured, other: Measured): boolean {
  if (!other.subject.startsWith('pgbench')) return other.connections === ours.connections;
  return (ours.connections === 1) === (other.connections === 1);
}

function p50Ratio(ours: readonly Measured[], samples: readonly Measured[]): string {
  return formatRatio(
    ours.flatMap((run) => {
      const other = samples.find(
        (sample) =>
          sample.round === run.round &&
          sample.subject === 'fastify' &&
          sample.connections === run.connections,
      );
      return other === undefined ? [] : run.latencyUs.p50 / other.latencyUs.p50;
    }),
  );
}

function formatRatio(values: readonly number[]): string {
  return values.length === 0 ? absent : withSpread(spreadOf(values), ratio);
}

/** Groups the rounds by subject and number of connections, in the order of the names above. */
function cases(samples: readonly Measured[]): Measured[][] {
  const groups = new Map<string, Measured[]>();
  for (const sample of samples) {
    const key = `${sample.subject} ${sample.connections}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const order = Object.keys(names);
  return [...groups.values()].toSorted(
    ([a], [b]) =>
      order.indexOf(a!.subject) - order.indexOf(b!.subject) || a!.connections - b!.connections,
  );
}

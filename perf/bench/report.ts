/** The report of a bench: the targets first, then all figures. */
import type { Setting } from '../support/machine.ts';
import { microseconds, table, whole, withSpread } from '../support/markdown.ts';
import type { Options } from '../support/options.ts';
import { cpuPerRequest } from '../support/sample.ts';
import { type Spread, spreadOf } from '../support/statistics.ts';
import { acceptance } from './acceptance.ts';
import { closedOf, holdsRate, openOf, ratioTo } from './compare-samples.ts';
import { disturbance } from './disturbance.ts';
import { inOrder, titleOf } from './names.ts';
import { type Operation, operationNames, operations } from './operations.ts';
import type { BenchSamples, ClosedSample, LimitSample, Missing } from './samples.ts';
import { oursName } from './subjects.ts';

const absent = '–';
/** Above this, the client may be the bottleneck. */
const clientBusy = 0.9;

export function report(
  settings: readonly Setting[],
  options: Options,
  samples: BenchSamples,
  missing: readonly Missing[],
  picture: string,
): string {
  const parts = [
    '# Ourselves, peers and limits',
    settings.map(({ label, value }) => `- ${label}: ${value}`).join('\n'),
    `Median (smallest..largest) of ${options.rounds} interleaved rounds of ${options.seconds} s, each after ` +
      `${options.warmupSeconds} s of warm-up in a new process; 1 000 000 tasks; load, servers and PostgreSQL ` +
      'on the same cores. Ratios are medians of the ratios within a round. Peers and pgbench write to a ' +
      'copy of the table with the same rows and indexes but without our triggers, which none of them ' +
      'needs. How to read this: [perf/README.md](../README.md).',
    disturbance(samples.closed),
    ...(missing.length === 0
      ? []
      : ['## Missing', missing.map(({ what, reason }) => `- ${what}: ${reason}`).join('\n')]),
    '## Reached and not reached',
    summary(samples),
    `![requests a second](${picture})`,
  ];
  for (const name of operationNames) {
    if (!samples.closed.some(({ operation }) => operation === name)) continue;
    const operation = operations[name];
    parts.push(`## ${operation.title}`, rates(samples, operation), openLoop(samples, operation));
  }
  if (samples.limits.length > 0) parts.push('## Other limits', limits(samples.limits));
  return `${parts.join('\n\n')}\n`;
}

function summary(samples: BenchSamples): string {
  return table(
    ['', 'what', 'wanted', 'got', ''],
    acceptance(samples).map(({ number, what, wanted, got, reached }) => [
      String(number),
      what,
      wanted,
      withSpread(got, got.max < 100 ? (value) => value.toFixed(2) : whole),
      reached ? 'reached' : '**not reached**',
    ]),
  );
}

function rates(samples: BenchSamples, { name }: Operation): string {
  const own = samples.closed.filter(({ operation }) => operation === name);
  return table(
    [
      '',
      'connections',
      'requests/s',
      'ours is times',
      'p50 µs',
      'p99 µs',
      'CPU µs/request: server',
      'PostgreSQL',
      'Redis',
      'client',
      'client of one core',
      'cores idle',
      'MiB',
    ],
    cases(own).map((runs) => {
      const { subject, connections } = runs[0]!;
      const place = { operation: name, connections: isPgbench(subject) ? 64 : connections };
      const ours = closedOf(
        samples,
        connections === 1 ? { ...place, connections } : place,
        oursName,
      );
      const spread = ratioTo(ours, runs, ({ rate }) => rate);
      return [
        subject === oursName ? `**${titleOf(subject)}**` : titleOf(subject),
        String(connections),
        withSpread(spreadOf(runs.map((run) => run.rate)), whole),
        subject === oursName || spread === undefined ? absent : withSpread(spread, twoDigits),
        withSpread(spreadOf(runs.map((run) => run.latencyUs.p50)), microseconds),
        withSpread(spreadOf(runs.map((run) => run.latencyUs.p99)), microseconds),
        ...['service', 'postgres', 'redis', 'client'].map((group) => cpu(runs, group)),
        clientShare(runs),
        median(
          runs,
          ({ idle }) => idle,
          (share) => `${(share * 100).toFixed(0)} %`,
        ),
        median(runs, ({ memory }) => memory?.residentMiB ?? null, whole),
      ];
    }),
  );
}

function openLoop(samples: BenchSamples, { name }: Operation): string {
  const subjects = [
    ...new Set(
      inOrder(samples.open.filter(({ operation }) => operation === name)).map((s) => s.subject),
    ),
  ];
  const rows = subjects.map((subject) => {
    const runs = openOf(samples, name, subject);
    const held = runs.filter(holdsRate).length;
    const of = (value: (run: (typeof runs)[number]) => number): Spread => spreadOf(runs.map(value));
    return [
      titleOf(subject),
      whole(runs[0]!.rate),
      whole(of(({ goodRate }) => goodRate).median),
      `${held} of ${runs.length}`,
      withSpread(
        of(({ goodUs }) => goodUs.p50),
        microseconds,
      ),
      withSpread(
        of(({ goodUs }) => goodUs.p99),
        microseconds,
      ),
      microseconds(of(({ goodUs }) => goodUs.p999).median),
      microseconds(of(({ goodUs }) => goodUs.p9999).median),
      `${(of(({ cpuSeconds, seconds }) => cpuSeconds / seconds).median * 100).toFixed(0)} %`,
    ];
  });
  return [
    'Open loop at half of our peak in the first round; latency counts from when a request fell due:',
    table(
      [
        '',
        'due /s',
        'answered /s',
        'held',
        'p50 µs',
        'p99 µs',
        'p99.9',
        'p99.99',
        'client of one core',
      ],
      rows,
    ),
  ].join('\n\n');
}

function limits(samples: readonly LimitSample[]): string {
  const names = [...new Set(samples.map(({ limit }) => limit))];
  return table(
    ['', 'a second', 'p50 µs', 'CPU µs each'],
    names.map((name) => {
      const runs = samples.filter(({ limit }) => limit === name);
      return [
        name,
        `${withSpread(spreadOf(runs.map(({ rate }) => rate)), whole)} ${runs[0]!.unit}`,
        median(runs, ({ p50Us }) => p50Us, microseconds),
        median(runs, ({ cpuUs }) => cpuUs, microseconds),
      ];
    }),
  );
}

function cpu(runs: readonly ClosedSample[], group: string): string {
  return median(runs, (run) => cpuPerRequest(run, group), microseconds);
}

function clientShare(runs: readonly ClosedSample[]): string {
  const shares = runs.flatMap(({ cpuSeconds, seconds }) =>
    cpuSeconds === null ? [] : cpuSeconds['client']! / seconds,
  );
  if (shares.length === 0) return absent;
  const { median: share } = spreadOf(shares);
  const text = `${(share * 100).toFixed(0)} %`;
  // pgbench has a thread on each core.
  return share > clientBusy && !isPgbench(runs[0]!.subject)
    ? `**${text}, the limit itself**`
    : text;
}

function median<Run>(
  runs: readonly Run[],
  of: (run: Run) => number | null,
  format: (value: number) => string,
): string {
  const values = runs.flatMap((run) => of(run) ?? []);
  return values.length === 0 ? absent : format(spreadOf(values).median);
}

function isPgbench(subject: string): boolean {
  return subject.startsWith('pgbench');
}

function twoDigits(value: number): string {
  return value.toFixed(2);
}

/** Groups the rounds by subject and number of connections, most connections first. */
function cases(samples: readonly ClosedSample[]): ClosedSample[][] {
  const groups = new Map<string, ClosedSample[]>();
  for (const sample of inOrder(samples)) {
    const key = `${sample.connections === 1} ${sample.subject} ${sample.connections}`;
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  const all = [...groups.values()];
  const isAlone = ([first]: ClosedSample[]): boolean => first!.connections === 1;
  return [...all.filter((group) => !isAlone(group)), ...all.filter(isAlone)];
}

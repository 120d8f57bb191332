/**
 * The cost of observability: GET by id without metrics, with metrics, with a scrape each second,
 * with profiles enabled, and during a profile.
 *
 *   bin/node dist/perf/metrics-cost/main.js     [ROUNDS=12] [SECONDS=3] [ONLY=off,on] [MEASURE_LOCK=<file>]
 *
 * In each round every variant's service is a new process, because what V8 compiles differs from one
 * to the next by more than the metrics cost.
 */
import { resolve } from 'node:path';
import { measureServer } from '../load/closed-loop/run.ts';
import { runOpenLoop } from '../load/open-loop/run.ts';
import { type PerfDatabase, startDatabase } from '../support/database.ts';
import { alone } from '../support/lock.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readChoice, readOptions, readText } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import { runSession } from '../support/session.ts';
import { rotate } from '../support/statistics.ts';
import { startWatchedService, type WatchedService } from '../support/watched-service.ts';
import {
  type CostSample,
  metricsCostReport,
  type OpenCostSample,
  type VariantName,
} from './report.ts';

interface Variant {
  /** The name in ONLY. */
  readonly key: Key;
  readonly name: VariantName;
  readonly settings: Readonly<Record<string, string>>;
  /** Runs during the measurement. Resolves when it has ended. */
  readonly meanwhile?: (service: WatchedService, over: AbortSignal) => Promise<void>;
  /** Also measured in an open loop. */
  readonly inOpenLoop: boolean;
}

const scrapeEveryMs = 1000;
const profiles = { PPROF_ENABLED: 'true' };
const keys = ['off', 'on', 'scraped', 'profiles', 'profiling'] as const;
type Key = (typeof keys)[number];
const variants: readonly Variant[] = [
  {
    key: 'off',
    name: 'no metrics',
    settings: { METRICS_ENABLED: 'false' },
    inOpenLoop: false,
  },
  { key: 'on', name: 'metrics', settings: {}, inOpenLoop: true },
  {
    key: 'scraped',
    name: 'metrics, scraped each second',
    settings: {},
    meanwhile: (service, over) => scrapeUntil(service, over),
    inOpenLoop: true,
  },
  { key: 'profiles', name: 'metrics, profiles possible', settings: profiles, inOpenLoop: false },
  {
    key: 'profiling',
    name: 'metrics, a CPU profile being made',
    settings: profiles,
    meanwhile: (service, over) => profileUntil(service, over),
    inOpenLoop: false,
  },
];
const scenario = 'get';
/** Holds the lock for four minutes. */
const roundsPerLock = 6;
/** Enough for V8 to compile the hot code. */
const wakeSeconds = 2;
/** Enough that requests wait for the service, not for a connection. */
const openConnections = 512;
const openNapUs = 100;

const options = readOptions({
  rounds: 12,
  seconds: 3,
  connections: [64],
  warmupSeconds: 1,
  program: 'dist/perf/metrics-cost/main.js',
});
const chosen = readChoice('ONLY', keys);
const measured = variants.filter(({ key }) => chosen.includes(key));
const isWhole = chosen.length === keys.length;
const lockFile = readText('MEASURE_LOCK');
const connections = options.connections[0]!;
const closed: CostSample[] = [];
const open: OpenCostSample[] = [];
/** Half of the closed-loop rate in the first round. */
let openRate: number | undefined;

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    for (let first = 0; first < options.rounds; first += roundsPerLock) {
      await alone(lockFile, async () => {
        const end = Math.min(first + roundsPerLock, options.rounds);
        for (let round = first; round < end; round++) {
          for (const variant of rotate(measured, round)) {
            await measureVariant(database, variant, round);
          }
        }
      });
    }
    const settings = describeSettings({
      command: options.command,
      postgresVersion: database.version,
      peers: [],
    });
    const markdown = metricsCostReport(settings, { ...options, connections }, closed, open);
    process.stdout.write(markdown);
    const json = { settings, closed, open };
    const name = `metrics-cost${isWhole ? '' : `-${chosen.join('-')}`}`;
    writeResults(options.results, `${today()}-${name}`, { markdown, json });
  },
);

/** One service from start to stop. */
async function measureVariant(
  database: PerfDatabase,
  variant: Variant,
  round: number,
): Promise<void> {
  const service = await startWatchedService(
    database.config,
    resolve(options.dataDir),
    variant.settings,
  );
  const load = { server: service, postgresPid: database.pid, scenario, connections } as const;
  await measureServer({ ...load, seconds: wakeSeconds, warmupSeconds: 0.1, seed: 1000 });

  const sample = await during(variant, service, () =>
    measureServer({
      ...load,
      seconds: options.seconds,
      warmupSeconds: options.warmupSeconds,
      seed: 1 + round,
    }),
  );
  closed.push({ round, variant: variant.name, ...sample });
  process.stderr.write(
    `${round + 1}/${options.rounds} ${variant.name}: ${sample.rate.toFixed(0)}/s\n`,
  );
  if (variant.inOpenLoop && chosen.includes('scraped')) {
    openRate ??= Math.round(sample.rate / 2);
    const rate = openRate;
    const result = await during(variant, service, () =>
      runOpenLoop(service, {
        scenario,
        connections: openConnections,
        rate,
        seconds: options.seconds,
        warmupSeconds: options.warmupSeconds,
        seed: 1 + round,
        napUs: openNapUs,
      }),
    );
    open.push({ round, variant: variant.name, rate, ...result });
  }
  await service.stop();
}

async function during<Result>(
  { meanwhile }: Variant,
  service: WatchedService,
  run: () => Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const other = meanwhile?.(service, over.signal);
  try {
    return await run();
  } finally {
    over.abort();
    await other;
  }
}

/** As Prometheus does, on the port of the metrics. */
async function scrapeUntil(service: WatchedService, over: AbortSignal): Promise<void> {
  for (let at = performance.now(); !over.aborted; at += scrapeEveryMs) {
    await service.scrape();
    await pause(at + scrapeEveryMs - performance.now(), over);
  }
}

/** The profile starts before the measurement, lasts longer, and is aborted. */
async function profileUntil(service: WatchedService, over: AbortSignal): Promise<void> {
  const seconds = Math.ceil(options.warmupSeconds + options.seconds + 30);
  await service.profile(`profile?seconds=${seconds}`, over).catch((error: unknown) => {
    if (!over.aborted) throw error;
  });
}

function pause(milliseconds: number, over: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    over.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}

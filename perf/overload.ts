/**
 * Measures the service under overload: the closed-loop peak, then one, two, five and ten times as
 * much in an open loop. The load has its own processor, because otherwise it would take CPU time
 * from the service.
 *
 *
 *   bin/node dist/perf/overload.js
 *
 * Uses the database of a million that scale.ts makes, in .data/scale.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLoopResult } from './load/open-loop.ts';
import { openDatabases } from './scale/databases.ts';
import { endChildrenOnSignals, stopChildren } from './support/children.ts';
import { describeSettings, type Setting, today } from './support/machine.ts';
import { table, whole } from './support/markdown.ts';
import { measureServer } from './support/measure.ts';
import { runOpenLoop } from './support/open-loop.ts';
import { readOptions } from './support/options.ts';
import { divideProcessors, type Processors, pinTree } from './support/pinning.ts';
import { writeResults } from './support/results.ts';
import type { RunningServer } from './support/server.ts';
import { startService } from './support/service.ts';
import { spreadOf } from './support/statistics.ts';

const size = 1_000_000;
const operations = ['get', 'post', 'search'] as const;
type Operation = (typeof operations)[number];
const titles: Readonly<Record<Operation, string>> = {
  get: 'GET /api/tasks/:id',
  post: 'POST /api/tasks',
  search: 'GET /api/tasks?filter=title:…&assignee_id=…, uncached',
};
const factors = [1, 2, 5, 10] as const;
/** Fewer for slow requests: at the peak, no request is rejected. */
const peakConnections: Readonly<Record<Operation, number>> = { get: 256, post: 256, search: 16 };
/** More than a queue holds, so that load shedding occurs. */
const openConnections = 6000;
const healthEveryMs = 50;

interface OverloadSample extends OpenLoopResult {
  readonly operation: Operation;
  readonly factor: number;
  /** The closed-loop rate in the same round. */
  readonly peak: number;
  readonly livez: { readonly medianMs: number; readonly maxMs: number; readonly failed: number };
  readonly residentMiB: number;
}

const options = readOptions({
  rounds: 3,
  seconds: 5,
  connections: Object.values(peakConnections),
  program: 'dist/perf/overload.js',
});

const dataDir = resolve('.data/scale');

endChildrenOnSignals();
const databases = await openDatabases(dataDir, [size]);
const processors = divideProcessors();
try {
  if (processors !== null) {
    pinTree(process.pid, processors.load);
    pinTree(databases.pid, processors.service);
  }
  const { config, sql } = databases.each[0]!;
  const samples: OverloadSample[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const server = await startService(config, dataDir, { CACHE_MAX_BYTES: '0' });
    if (processors !== null) pinTree(server.pid, processors.service);
    for (const operation of operations) {
      const { rate: peak } = await measureServer({
        server,
        postgresPid: databases.pid,
        scenario: operation,
        connections: peakConnections[operation],
        seconds: options.seconds,
        warmupSeconds: 2,
        seed: 1 + round,
      });
      for (const factor of factors) {
        samples.push(await overload(server, operation, peak, factor));
        if (operation !== 'post') continue;
        await sql.unsafe(`DELETE FROM tasks WHERE id > ${size}`);
        await sql.unsafe('VACUUM (ANALYZE) tasks');
      }
    }
    await server.stop();
  }
  const settings = describeSettings({
    command: options.command,
    postgresVersion: databases.version,
    peers: [],
  });
  writeResults(options.results, `${today()}-overload`, {
    markdown: report(settings, samples),
    json: { settings, samples },
  });
} finally {
  await stopChildren();
  await databases.close();
}

async function overload(
  server: RunningServer,
  operation: Operation,
  peak: number,
  factor: number,
): Promise<OverloadSample> {
  let over = false;
  const health = watchHealth(server, () => over);
  const result = await runOpenLoop(server, {
    scenario: operation,
    connections: openConnections,
    rate: Math.round(peak * factor),
    seconds: options.seconds,
    warmupSeconds: 2,
    seed: 1,
    napUs: 0,
  });
  over = true;
  const livez = await health;
  const sample = {
    operation,
    factor,
    peak,
    ...result,
    livez,
    residentMiB: residentMiB(server.pid),
  };
  process.stderr.write(
    `${operation} ${factor} × ${whole(peak)}/s: sent ${whole(result.sentRate)}, served ` +
      `${whole(result.goodRate)}, refused ${whole(result.refusedRate)}/s\n`,
  );
  return sample;
}

async function watchHealth(
  server: RunningServer,
  isOver: () => boolean,
): Promise<OverloadSample['livez']> {
  const times: number[] = [];
  let failed = 0;
  while (!isOver()) {
    const began = performance.now();
    const answer = await fetch(`${server.url}/livez`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) times.push(performance.now() - began);
    else failed++;
    await sleep(healthEveryMs);
  }
  return { medianMs: spreadOf(times).median, maxMs: Math.max(...times), failed };
}

function sharing(divided: Processors | null): string {
  if (divided === null) return 'It shares the processors with the service and PostgreSQL.';
  const { load, service } = divided;
  return `It has processor ${load}, the service and PostgreSQL ${service}, at the peak too.`;
}

/** The front end, which holds the queue: the only child that is not a database. */
function residentMiB(primary: number): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (!new RegExp(`^PPid:\\s+${primary}$`, 'm').test(status)) continue;
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) / 1024;
    } catch {
      // It has just ended.
    }
  }
  return 0;
}

function report(settings: readonly Setting[], samples: readonly OverloadSample[]): string {
  const head = [
    'offered',
    'sent /s',
    'served /s',
    'served ÷ peak',
    'served p50, p99 ms',
    'refused /s',
    'refused p50, p99 ms',
    '/livez median, worst ms',
    'front end MiB',
  ];
  const sections = operations.flatMap((operation) => {
    const ofOperation = samples.filter((sample) => sample.operation === operation);
    const peaks = spreadOf(ofOperation.map(({ peak }) => peak));
    const rows = factors.map((factor) => {
      const some = ofOperation.filter((sample) => sample.factor === factor);
      const median = (of: (sample: OverloadSample) => number): number =>
        spreadOf(some.map(of)).median;
      const share = spreadOf(some.map(({ goodRate, peak }) => goodRate / peak));
      const ms = (of: (sample: OverloadSample) => number): string => (median(of) / 1000).toFixed(1);
      return [
        `${factor} × peak`,
        whole(median(({ sentRate }) => sentRate)),
        whole(median(({ goodRate }) => goodRate)),
        `${share.median.toFixed(2)} (${share.min.toFixed(2)}..${share.max.toFixed(2)})`,
        `${ms(({ goodUs }) => goodUs.p50)}, ${ms(({ goodUs }) => goodUs.p99)}`,
        whole(median(({ refusedRate }) => refusedRate)),
        `${ms(({ refusedUs }) => refusedUs.p50)}, ${ms(({ refusedUs }) => refusedUs.p99)}`,
        `${median(({ livez }) => livez.medianMs).toFixed(1)}, ${median(({ livez }) => livez.maxMs).toFixed(0)}`,
        whole(median(({ residentMiB: mib }) => mib)),
      ];
    });
    return [
      `## ${titles[operation]}`,
      '',
      `Peak: ${whole(peaks.median)}/s (${whole(peaks.min)}..${whole(peaks.max)}), closed loop, ${peakConnections[operation]} connections.`,
      '',
      table(head, rows),
      '',
    ];
  });
  return [
    '# Overload',
    '',
    ...settings.map(({ label, value }) => `- ${label}: ${value}`),
    '',
    `Medians of ${options.rounds} rounds of ${options.seconds} s. The load falls due at a fixed rate over ` +
      `${openConnections} connections, and latencies count from then. ${sharing(processors)} It cannot send ` +
      'what falls due while it has no time or no free connection: *sent* is what it did send.',
    '',
    ...sections,
  ].join('\n');
}

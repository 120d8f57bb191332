/**
 * What is left of the service when it is offered more than it can do: the closed-loop peak, then
 * one, two, five and ten times as much in an open loop. Service and database on some processors, the
 * load on another: a load that takes the service's time measures nothing.
 *
 *   bin/node dist/perf/overload/main.js
 *
 * Uses the database of a million that perf/scale makes, in .data/scale.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureServer } from '../load/closed-loop/run.ts';
import { runOpenLoop } from '../load/open-loop/run.ts';
import { openDatabases } from '../support/databases.ts';
import { describeSettings, today } from '../support/machine.ts';
import { whole } from '../support/markdown.ts';
import { readMemory } from '../support/memory.ts';
import { readOptions } from '../support/options.ts';
import { treeOf } from '../support/process-tree.ts';
import { writeResults } from '../support/results.ts';
import type { RunningServer } from '../support/server.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { spreadOf } from '../support/statistics.ts';
import { divideProcessors, pinTree } from './pinning.ts';
import {
  factors,
  type Operation,
  type OverloadSample,
  openConnections,
  operations,
  overloadReport,
  peakConnections,
} from './report.ts';

const size = 1_000_000;
const healthEveryMs = 50;

const options = readOptions({
  rounds: 3,
  seconds: 5,
  connections: Object.values(peakConnections),
  program: 'dist/perf/overload/main.js',
});

const dataDir = resolve('.data/scale');

const processors = divideProcessors();

await runSession(
  () => openDatabases(dataDir, [size]),
  async (databases) => {
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
      markdown: overloadReport(settings, options, processors, samples),
      json: { settings, samples },
    });
  },
);

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
    residentMiB: readMemory(frontEndOf(server))?.residentMiB ?? 0,
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

/** It holds what waits. */
function frontEndOf({ pid }: RunningServer): number {
  return treeOf(pid)[1] ?? pid;
}

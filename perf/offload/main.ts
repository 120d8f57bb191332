/**
 * The table that chooses the default of OFFLOAD_MIN_BATCH: how small a batch the front end should
 * execute itself instead of paying for the hop to a worker thread.
 *
 *   bin/node dist/perf/offload/main.js
 */
import { resolve } from 'node:path';
import { measureServer } from '../load/closed-loop/run.ts';
import { type PerfDatabase, startDatabase } from '../support/database.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readChoice, readOptions } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import type { RunningServer } from '../support/server.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { rotate } from '../support/statistics.ts';
import { type OffloadSample, type Operation, offloadReport, operationNames } from './report.ts';

/** 0: always offload; 1024: never, as no batch is that large. */
const thresholds = [0, 2, 4, 8, 16, 32, 1024] as const;
/** Enough for V8 to have compiled what is hot. */
const wakeSeconds = 2;
const wakeConnections = 64;

interface Candidate {
  readonly threshold: number;
  readonly server: RunningServer;
}

const options = readOptions({
  rounds: 3,
  seconds: 3,
  connections: [1, 8, 32, 128, 256],
  program: 'dist/perf/offload/main.js',
});
const operations = readChoice('ONLY', operationNames);

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    const samples: OffloadSample[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const candidates = await startCandidates(database);
      for (const operation of operations) {
        for (const connections of options.connections) {
          for (const candidate of rotate(candidates, round)) {
            samples.push(await measure(database, candidate, { round, operation, connections }));
          }
        }
      }
      await Promise.all(candidates.map(({ server }) => server.stop()));
    }
    const settings = describeSettings({
      command: options.command,
      postgresVersion: database.version,
      peers: [],
    });
    writeResults(options.results, `${today()}-offload`, {
      markdown: offloadReport(settings, options, operations, thresholds, samples),
      json: { settings, samples },
    });
  },
);

/** All run at once, so that the runs of one case follow each other; the idle ones cost nothing. */
async function startCandidates(database: PerfDatabase): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const threshold of thresholds) {
    const server = await startService(database.config, resolve(options.dataDir), {
      OFFLOAD_MIN_BATCH: String(threshold),
    });
    candidates.push({ threshold, server });
    for (const scenario of operations) {
      await measureServer({
        ...{ server, scenario, postgresPid: database.pid, connections: wakeConnections },
        ...{ seconds: wakeSeconds, warmupSeconds: 0.1, seed: 1000 },
      });
    }
  }
  await database.trim();
  return candidates;
}

interface Place {
  readonly round: number;
  readonly operation: Operation;
  readonly connections: number;
}

/** Leaves the tables as they were before it. */
async function measure(
  database: PerfDatabase,
  { threshold, server }: Candidate,
  place: Place,
): Promise<OffloadSample> {
  const { round, operation, connections } = place;
  const sample = await measureServer({
    ...{ server, postgresPid: database.pid, scenario: operation, connections, seed: 1 + round },
    seconds: options.seconds,
    warmupSeconds: options.warmupSeconds,
  });
  if (operation === 'post') await database.trim();
  process.stderr.write(
    `round ${round + 1}/${options.rounds}  ${operation.padEnd(4)} ${String(connections).padStart(4)}  ` +
      `${String(threshold).padEnd(5)} ${sample.rate.toFixed(0).padStart(7)}/s\n`,
  );
  return { ...place, threshold, ...sample };
}

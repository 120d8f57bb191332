/**
 * Measures the default of OFFLOAD_MIN_BATCH: the batch size from which a worker thread is faster
 * than the front end's own thread.
 *
 *   bin/node dist/perf/offload.js
 */
import { resolve } from 'node:path';
import { describeSettings, today } from './support/machine.ts';
import { offloadReport } from './support/offload-report.ts';
import { readOptions } from './support/options.ts';
import { writeResults } from './support/results.ts';
import { carryOut, type Measured, type RunContext, serverRun, wake } from './support/run.ts';
import type { RunningServer } from './support/server.ts';
import { startService } from './support/service.ts';
import { runSession } from './support/session.ts';
import { rotate } from './support/statistics.ts';

/** 0: always offload; 1024: never, because no batch is that large. */
const thresholds = [0, 2, 4, 8, 16, 32, 1024] as const;

interface Candidate {
  readonly threshold: number;
  readonly server: RunningServer;
}

const options = readOptions({
  rounds: 3,
  seconds: 3,
  connections: [1, 8, 32, 128, 256],
  program: 'dist/perf/offload.js',
});

await runSession(options.dataDir, async (database) => {
  const context: RunContext = { database, options };
  const samples: Measured[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const candidates = await startCandidates(context);
    for (const operation of options.operations) {
      for (const connections of options.connections) {
        for (const { threshold, server } of rotate(candidates, round)) {
          const run = serverRun(context, server, {
            subject: String(threshold),
            operation,
            connections,
          });
          samples.push(await carryOut(context, run, round));
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
    markdown: offloadReport(settings, options, thresholds, samples),
    json: { settings, samples },
  });
});

/** All services run at once, so that the runs of a case are adjacent; idle ones cost nothing. */
async function startCandidates(context: RunContext): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const threshold of thresholds) {
    const server = await startService(context.database.config, resolve(options.dataDir), {
      OFFLOAD_MIN_BATCH: String(threshold),
    });
    candidates.push({ threshold, server });
    await wake(context, server);
  }
  await context.database.trim();
  return candidates;
}

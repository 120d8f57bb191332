/**
 * The first measurement: GET by id and POST, compared with Fastify + pg and pgbench, interleaved.
 *
 *   bin/node dist/perf/first-run.js
 */
import { resolve } from 'node:path';
import { findPgbench } from './limits/pgbench.ts';
import { installFastifyPg, startFastifyPg } from './support/fastify-pg.ts';
import { firstRunReport } from './support/first-run-report.ts';
import { describeSettings, today } from './support/machine.ts';
import { type Operation, readOptions } from './support/options.ts';
import { writeResults } from './support/results.ts';
import {
  carryOut,
  type Measured,
  pgbenchRun,
  type Run,
  type RunContext,
  serverRun,
  wake,
} from './support/run.ts';
import { tableWithoutTriggers } from './support/seed.ts';
import type { RunningServer } from './support/server.ts';
import { startService } from './support/service.ts';
import { runSession } from './support/session.ts';
import { rotate } from './support/statistics.ts';

interface Servers {
  readonly ours: RunningServer;
  readonly fastify: RunningServer;
  readonly fastifyWithoutTriggers: RunningServer;
}

/** The services' pools leave no room for 64 or 256 clients below max_connections (100). */
const pgbenchClientsMax = 60;

const options = readOptions({
  rounds: 5,
  seconds: 5,
  connections: [1, 64, 256],
  program: 'dist/perf/first-run.js',
});
const pgbench = findPgbench();
if (pgbench === undefined) {
  process.stderr.write('pgbench is missing (Debian: postgresql): its columns stay empty\n');
}
installFastifyPg();

await runSession(options.dataDir, async (database) => {
  const context: RunContext = { database, options };
  const samples: Measured[] = [];
  for (let round = 0; round < options.rounds; round++) {
    samples.push(...(await measureRound(context, round)));
  }
  const settings = describeSettings({
    command: options.command,
    postgresVersion: `${database.version}; ${pgbench?.version ?? 'pgbench is missing'}`,
    peers: ['fastify-pg'],
  });
  writeResults(options.results, `${today()}-first-run`, {
    markdown: firstRunReport(settings, options, samples),
    json: { settings, samples },
  });
});

/** New processes in each round, so that the variance between starts is part of the spread. */
async function measureRound(context: RunContext, round: number): Promise<Measured[]> {
  const servers = await startServers(context);
  await assertRoom(context);
  const samples: Measured[] = [];
  for (const operation of options.operations) {
    for (const connections of options.connections) {
      // Runs that are compared are adjacent.
      const runs = runsOf(context, servers, operation, connections);
      for (const run of rotate(runs, round)) samples.push(await carryOut(context, run, round));
    }
  }
  await Promise.all(Object.values(servers).map((server: RunningServer) => server.stop()));
  return samples;
}

function runsOf(
  context: RunContext,
  servers: Servers,
  operation: Operation,
  connections: number,
): readonly Run[] {
  const server = (subject: string, running: RunningServer): Run =>
    serverRun(context, running, { subject, operation, connections });
  const limits = (subject: string, script: Parameters<typeof pgbenchRun>[2]): readonly Run[] =>
    pgbench === undefined
      ? []
      : pgbenchClients(connections).map((clients) =>
          pgbenchRun(context, pgbench, script, {
            subject,
            operation,
            connections: clients,
          }),
        );

  const runs = [server('ours', servers.ours), server('fastify', servers.fastify)];
  if (operation === 'get') return [...runs, ...limits('pgbench', 'select.sql')];
  return [
    ...runs,
    ...limits('pgbench', 'insert.sql'),
    server('fastify-without-triggers', servers.fastifyWithoutTriggers),
    ...limits('pgbench-without-triggers', 'insert-without-triggers.sql'),
  ];
}

/** One client for one connection; for many the optimum of pgbench; for very many all available. */
function pgbenchClients(connections: number): readonly number[] {
  if (connections === 1) return [1];
  return connections < 256 ? [8, 32] : [pgbenchClientsMax];
}

async function startServers(context: RunContext): Promise<Servers> {
  const { config } = context.database;
  const servers = {
    ours: await startService(config, resolve(options.dataDir)),
    fastify: await startFastifyPg(config, 'tasks'),
    fastifyWithoutTriggers: await startFastifyPg(config, tableWithoutTriggers),
  };
  for (const server of Object.values(servers)) await wake(context, server);
  await context.database.trim();
  return servers;
}

async function assertRoom({ database }: RunContext): Promise<void> {
  const free = await database.freeConnections();
  if (pgbench === undefined || free >= pgbenchClientsMax) return;
  throw new Error(
    `PostgreSQL takes ${free} more connections, pgbench needs ${pgbenchClientsMax}: ` +
      'choose fewer FRONTENDS or WORKER_THREADS, or a smaller POOL_MAX',
  );
}

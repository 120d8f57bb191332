/**
 * Compares a cached list with bare uWebSockets.js that sends the same bytes: the cost of freshness
 * and of the service's HTTP layer. With REDIS_HOST set, also a service with Redis.
 *
 *   bin/node dist/perf/cached-list.js
 */
import { fileURLToPath } from 'node:url';
import { findWrk, measureWrk, type WrkSample } from './limits/wrk.ts';
import { cachedListReport } from './support/cached-list-report.ts';
import { describeSettings, today } from './support/machine.ts';
import { readOptions, redisSettings } from './support/options.ts';
import { writeResults } from './support/results.ts';
import { freePort, type RunningServer, startServer } from './support/server.ts';
import { startService } from './support/service.ts';
import { runSession } from './support/session.ts';
import { rotate } from './support/statistics.ts';

export interface CachedListSample extends WrkSample {
  readonly round: number;
  readonly subject: string;
  readonly connections: number;
}

const path = '/api/tasks?page=1&per_page=20';
const wakeSeconds = 2;

const options = readOptions({
  rounds: 5,
  seconds: 4,
  connections: [1, 64, 256],
  program: 'dist/perf/cached-list.js',
});
const wrk = findWrk();

await runSession(options.dataDir, async (database) => {
  if (wrk === undefined) throw new Error('this measurement needs wrk: Debian has it as wrk');
  const directory = options.dataDir;
  const redis = redisSettings();
  const servers = new Map<string, RunningServer>();
  const service = await startService(database.config, directory);
  servers.set('service', service);
  if (redis !== undefined) {
    servers.set('service with Redis', await startService(database.config, directory, redis));
  }
  servers.set('bare', await startBareServer(directory, service.url + path));

  const samples: CachedListSample[] = [];
  for (const server of servers.values()) await measureWrk(server.url + path, 64, wakeSeconds);
  for (let round = 0; round < options.rounds; round++) {
    for (const connections of options.connections) {
      for (const [subject, server] of rotate([...servers], round)) {
        const sample = await measureWrk(server.url + path, connections, options.seconds);
        process.stderr.write(
          `round ${round + 1}/${options.rounds}  ${String(connections).padStart(4)}  ` +
            `${subject.padEnd(20)} ${sample.rate.toFixed(0).padStart(7)}/s\n`,
        );
        samples.push({ round, subject, connections, ...sample });
      }
    }
  }
  for (const server of servers.values()) await server.stop();

  const settings = [
    ...describeSettings({
      command: options.command,
      postgresVersion: database.version,
      peers: [],
    }),
    { label: 'load generator', value: `${wrk}, one thread` },
  ];
  writeResults(options.results, `${today()}-cached-list`, {
    markdown: cachedListReport(settings, options, [...servers.keys()], samples),
    json: { settings, samples },
  });
});

async function startBareServer(directory: string, listUrl: string): Promise<RunningServer> {
  return startServer({
    name: 'bare uWebSockets.js',
    program: fileURLToPath(new URL('limits/bare-server.js', import.meta.url)),
    arguments: [String(await freePort()), listUrl],
    directory,
    environment: {},
  });
}

/**
 * A list out of the cache beside bare uWebSockets.js that sends the same bytes: what freshness and
 * our own HTTP cost. With REDIS_HOST set, also a service that has Redis behind its memory.
 *
 *   bin/node dist/perf/cached-list/main.js
 */
import { startBareServer } from '../limits/bare.ts';
import { createRequestFiles, findWrk, measureWithWrk } from '../load/wrk/run.ts';
import { startDatabase } from '../support/database.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readOptions, redisSettings } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import type { RunningServer } from '../support/server.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { rotate } from '../support/statistics.ts';
import { type CachedListSample, cachedListReport } from './report.ts';

const path = '/api/tasks?page=1&per_page=20';
const wakeSeconds = 2;

const options = readOptions({
  rounds: 5,
  seconds: 4,
  connections: [1, 64, 256],
  program: 'dist/perf/cached-list/main.js',
});
const wrk = findWrk();
const files = createRequestFiles();

await runSession(
  () => startDatabase(options.dataDir),
  async (database) => {
    if (wrk === undefined) throw new Error('this measurement needs wrk: Debian has it as wrk');
    const directory = options.dataDir;
    const redis = redisSettings();
    const servers = new Map<string, RunningServer>();
    const service = await startService(database.config, directory);
    servers.set('service', service);
    if (redis !== undefined) {
      servers.set('service with Redis', await startService(database.config, directory, redis));
    }
    servers.set('bare', await startBareServer(service.url + path, directory));

    const samples: CachedListSample[] = [];
    for (const server of servers.values()) await measure(server, 64, wakeSeconds);
    for (let round = 0; round < options.rounds; round++) {
      for (const connections of options.connections) {
        for (const [subject, server] of rotate([...servers], round)) {
          const sample = await measure(server, connections, options.seconds);
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

    function measure({ url, pid }: RunningServer, connections: number, seconds: number) {
      return measureWithWrk(files, {
        url,
        scenario: 'list',
        connections,
        seconds,
        seed: 1,
        doomed: { count: 0, gone: 0 },
        groups: { service: pid, postgres: database.pid },
      });
    }
  },
);
files.remove();

/**
 * The service under mixed load for a long time, with clients that break requests off: what it holds
 * at the end beside what it held after two minutes.
 *
 *   bin/node dist/perf/soak/main.js [--seconds 1200] [--clients 48] [--data .data/soak] [--results perf/results]
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClient } from '../../src/database/client.ts';
import { migrateUp } from '../../src/database/migrate/migrate.ts';
import { startEmbedded } from '../../src/embedded/embedded.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createRandom } from '../seed/random.ts';
import { stopChildren } from '../support/children.ts';
import { describeSettings, today } from '../support/machine.ts';
import { treeOf } from '../support/process-tree.ts';
import { writeResults } from '../support/results.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { runSoakClient, type SoakCounts } from './client.ts';
import { footprintOf } from './processes.ts';
import { type Soak, type SoakSample, soakPlot, soakReport } from './report.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1200' },
    clients: { type: 'string', default: '48' },
    data: { type: 'string', default: '.data/soak' },
    results: { type: 'string', default: 'perf/results' },
  },
});
const seconds = Number(values.seconds);
const clients = Number(values.clients);
const sampleEverySeconds = 5;

const log = createLogger({ level: 'warn', role: 'perf' });
const dataDir = resolve(values.data);

await runSession(
  () => startEmbedded({ dataDir, log }),
  async (embedded) => {
    await migrateUp(embedded.config, log);
    const sql = createClient(embedded.config, {
      max: 1,
      applicationName: 'soak',
      statementTimeoutMs: 0,
    });
    await sql`TRUNCATE tasks RESTART IDENTITY`;
    const service = await startService(embedded.config, dataDir);
    const family = treeOf(service.pid);
    const names = family.map((_, place) => (place === 0 ? 'primary' : `front end ${place}`));
    const counts: SoakCounts = { statuses: new Map(), aborts: 0 };
    const ids: number[] = [];
    const samples: SoakSample[] = [];
    const began = performance.now();
    const secondsGone = (): number => Math.round((performance.now() - began) / 1000);
    const isOver = (): boolean => secondsGone() >= seconds;

    const load = Promise.all(
      Array.from({ length: clients }, (_, number) =>
        runSoakClient({
          port: Number(new URL(service.url).port),
          random: createRandom(number + 1),
          ids,
          counts,
          isOver,
        }),
      ),
    );
    while (!isOver()) {
      await Promise.race([sleep(sampleEverySeconds * 1000), load]);
      const [row] = await sql<{ count: number }[]>`
      SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name LIKE 'tasks %'`;
      samples.push({
        second: secondsGone(),
        footprints: family.map(footprintOf),
        databaseConnections: row!.count,
      });
      if (samples.length % 12 === 0) {
        const resident = samples.at(-1)!.footprints.map((f) => f.residentMiB.toFixed(0));
        process.stderr.write(`${secondsGone()} s: ${resident.join(' + ')} MiB\n`);
      }
    }
    await load;
    await stopChildren();
    await sql.end({ timeout: 5 });

    const soak: Soak = {
      names,
      samples,
      requests: [...counts.statuses.values()].reduce((sum, count) => sum + count, counts.aborts),
      statuses: Object.fromEntries([...counts.statuses].sort(([a], [b]) => a - b)),
      aborts: counts.aborts,
    };
    const settings = describeSettings({
      command: `bin/node dist/perf/soak/main.js --seconds ${seconds} --clients ${clients}`,
      postgresVersion: '18',
      peers: [],
    });
    const name = `${today()}-soak`;
    writeResults(values.results, name, {
      markdown: soakReport(settings, soak, `${name}.svg`),
      json: { settings, soak },
      pictures: { [`${name}.svg`]: soakPlot(soak) },
    });
  },
);

/**
 * Runs the service under mixed load for a long time, with clients that abort requests, and compares
 * its resources at the end with those after two minutes.
 *
 *   bin/node dist/perf/soak.js [--seconds 1200] [--clients 48] [--data .data/soak] [--results perf/results]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClient } from '../src/database/client.ts';
import { migrateUp } from '../src/database/migrate/migrate.ts';
import { startEmbedded } from '../src/embedded/embedded.ts';
import { createLogger } from '../src/telemetry/log.ts';
import { createRandom } from './load/random.ts';
import { runSoakClient, type SoakCounts } from './soak/client.ts';
import { familyOf, footprintOf } from './soak/processes.ts';
import { type Soak, type SoakSample, soakPlot, soakReport } from './soak/report.ts';
import { endChildrenOnSignals, stopChildren } from './support/children.ts';
import { describeSettings, today } from './support/machine.ts';
import { writeResults } from './support/results.ts';
import { startService } from './support/service.ts';

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

endChildrenOnSignals();
const log = createLogger({ level: 'warn', role: 'perf' });
const dataDir = resolve(values.data);
const embedded = await startEmbedded({ dataDir, log });
try {
  await migrateUp(embedded.config, log);
  const sql = createClient(embedded.config, {
    max: 1,
    applicationName: 'soak',
    statementTimeoutMs: 0,
  });
  await sql`TRUNCATE tasks RESTART IDENTITY`;
  const service = await startService(embedded.config, dataDir);
  const family = familyOf(service.pid);
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
    command: `bin/node dist/perf/soak.js --seconds ${seconds} --clients ${clients}`,
    postgresVersion: '18',
    peers: [],
  });
  const name = `${today()}-soak`;
  mkdirSync(values.results, { recursive: true });
  writeFileSync(join(values.results, `${name}.svg`), soakPlot(soak));
  writeResults(values.results, name, {
    markdown: soakReport(settings, soak, `${name}.svg`),
    json: { settings, soak },
  });
} finally {
  await stopChildren();
  await embedded.stop();
}

/**
 * What the indexes and counts of the list cost writers: the same service on copies of one database
 * with a million tasks, from which something was taken away.
 *
 *   bin/node dist/perf/writer-cost/main.js
 *
 * Uses the database of a million that perf/scale makes, in .data/scale.
 */
import { resolve } from 'node:path';
import { createClient } from '../../src/database/client.ts';
import { migrateDown, migrationStatus } from '../../src/database/migrate.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { measureServer } from '../load/closed-loop/run.ts';
import { stopChildren } from '../support/children.ts';
import { openDatabases } from '../support/databases.ts';
import { describeSettings, today } from '../support/machine.ts';
import { readOptions } from '../support/options.ts';
import { writeResults } from '../support/results.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { rotate } from '../support/statistics.ts';
import { indexAllTexts } from '../support/texts.ts';
import { type WriterSample, writerCostReport } from './report.ts';

const size = 1_000_000;
const log = createLogger({ level: 'warn', role: 'perf' });

/** A schema of the past: its migrations are taken back, which keeps the tasks. */
interface Variant {
  readonly name: string;
  /** The last migration that it has. */
  readonly version: number;
  readonly change?: string;
}

const variants: readonly Variant[] = [
  { name: 'everything', version: 6 },
  { name: 'without a key of the queue and bounds of times', version: 5 },
  { name: 'a trigger for each count and queue', version: 4 },
  { name: 'with the index of texts in the way of writes', version: 3 },
  // Nothing is queued, so nothing is indexed; a search would not find anything soon.
  { name: 'without the index of texts', version: 3, change: 'DROP INDEX tasks_text' },
  {
    name: 'without counts of blocks and sort orders, too',
    version: 3,
    change: `
      DROP INDEX tasks_text, tasks_title_id, tasks_created_at_id, tasks_updated_at_id;
      DROP TRIGGER tasks_inserted_blocks ON tasks;
      DROP TRIGGER tasks_updated_blocks ON tasks;
      DROP TRIGGER tasks_deleted_blocks ON tasks`,
  },
];
const operations = ['post', 'put'] as const;

const options = readOptions({
  rounds: 3,
  seconds: 4,
  connections: [1, 64],
  program: 'dist/perf/writer-cost/main.js',
});
const dataDir = resolve('.data/scale');

await runSession(
  () => openDatabases(dataDir, [size]),
  async (databases) => {
    const { config, sql } = databases.each[0]!;
    // A database that is connected to cannot be copied.
    await sql.end({ timeout: 5 });
    const admin = createClient(
      { ...config, name: 'postgres' },
      { max: 1, applicationName: 'tasks perf', statementTimeoutMs: 0 },
    );
    const subjects = [];
    const { latest } = await migrationStatus(config);
    for (const [place, { name, version, change }] of variants.entries()) {
      const copy = { ...config, name: `writer_cost_${place}` };
      await admin.unsafe(`DROP DATABASE IF EXISTS ${copy.name} WITH (FORCE)`);
      await admin.unsafe(`CREATE DATABASE ${copy.name} TEMPLATE ${config.name}`);
      await migrateDown(copy, log, latest - version);
      const client = createClient(copy, {
        max: 1,
        applicationName: 'tasks perf',
        statementTimeoutMs: 0,
      });
      if (change !== undefined) await client.unsafe(change);
      // The service does not begin on a schema that is not its own.
      await client`UPDATE schema_migrations SET version = ${latest}`;
      const hasQueue = version >= 4;
      await client.unsafe('VACUUM (ANALYZE)');
      const server = await startService(copy, dataDir);
      subjects.push({ name, client, server, hasQueue });
      process.stderr.write(`${name}: ready\n`);
    }

    const samples: WriterSample[] = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const operation of operations) {
        for (const connections of options.connections) {
          for (const { name, client, server, hasQueue } of rotate(subjects, round)) {
            const sample = await measureServer({
              server,
              postgresPid: databases.pid,
              scenario: operation,
              connections,
              seconds: options.seconds,
              warmupSeconds: options.warmupSeconds,
              seed: 1 + round,
            });
            await client.unsafe(`DELETE FROM tasks WHERE id > ${size}`);
            if (hasQueue) await indexAllTexts(client);
            await client.unsafe('VACUUM');
            await client.unsafe('CHECKPOINT');
            process.stderr.write(
              `round ${round + 1}/${options.rounds}  ${operation.padEnd(4)} ${String(connections).padStart(4)}  ` +
                `${name.padEnd(42)} ${sample.rate.toFixed(0).padStart(6)}/s\n`,
            );
            samples.push({ round, variant: name, operation, connections, ...sample });
          }
        }
      }
    }
    await stopChildren();
    for (const { client } of subjects) await client.end({ timeout: 5 });
    for (const place of variants.keys()) {
      await admin.unsafe(`DROP DATABASE writer_cost_${place} WITH (FORCE)`);
    }
    await admin.end({ timeout: 5 });

    const settings = describeSettings({
      command: options.command,
      postgresVersion: databases.version,
      peers: [],
    });
    const names = variants.map(({ name }) => name);
    writeResults(options.results, `${today()}-writer-cost`, {
      markdown: writerCostReport(settings, options, names, samples),
      json: { settings, samples },
    });
  },
);

/**
 * What the indexes and counts of the list cost writers: the same service on copies of one database
 * with a million tasks, from which something was taken away.
 *
 *   bin/node dist/perf/writer-cost.js
 *
 * Uses the database of a million that scale.ts makes, in .data/scale.
 */
import { resolve } from 'node:path';
import { createClient } from '../src/database/client.ts';
import { openDatabases } from './scale/databases.ts';
import { endChildrenOnSignals, stopChildren } from './support/children.ts';
import { describeSettings, today } from './support/machine.ts';
import { measureServer } from './support/measure.ts';
import { readOptions } from './support/options.ts';
import { writeResults } from './support/results.ts';
import { startService } from './support/service.ts';
import { rotate } from './support/statistics.ts';
import { indexAllTexts } from './support/texts.ts';
import { type WriterSample, writerCostReport } from './support/writer-cost-report.ts';

const size = 1_000_000;
const withoutTriggers = (what: 'blocks' | 'texts'): string =>
  ['inserted', 'deleted', 'updated', 'truncated']
    .map((event) => `DROP TRIGGER tasks_${event}_${what} ON tasks`)
    .join('; ');
const withoutBlocks = withoutTriggers('blocks');
/** Nothing is queued, so nothing is indexed; a search would not find what was written. */
const withoutText = withoutTriggers('texts');
/** As it was before migration 004. */
const textInTheWay =
  'CREATE INDEX tasks_text ON tasks USING gin (title gin_trgm_ops, description gin_trgm_ops)';
const withoutSorts = 'DROP INDEX tasks_title_id, tasks_created_at_id, tasks_updated_at_id';
/** From everything to what migration 001 alone has. */
const variants: readonly { readonly name: string; readonly change: string }[] = [
  { name: 'everything', change: 'SELECT 1' },
  { name: 'without counts of blocks', change: withoutBlocks },
  { name: 'without the index of texts', change: withoutText },
  {
    name: 'with the index of texts in the way of writes',
    change: `${withoutText}; ${textInTheWay}`,
  },
  {
    name: 'without both and without the sort orders',
    change: `${withoutBlocks}; ${withoutText}; ${withoutSorts}`,
  },
];
const operations = ['post', 'put'] as const;

const options = readOptions({
  rounds: 3,
  seconds: 4,
  connections: [1, 64],
  program: 'dist/perf/writer-cost.js',
});
const dataDir = resolve('.data/scale');

endChildrenOnSignals();
const databases = await openDatabases(dataDir, [size]);
try {
  const { config, sql } = databases.each[0]!;
  // A database that is connected to cannot be copied.
  await sql.end({ timeout: 5 });
  const admin = createClient(
    { ...config, name: 'postgres' },
    { max: 1, applicationName: 'tasks perf', statementTimeoutMs: 0 },
  );
  const subjects = [];
  for (const [place, { name, change }] of variants.entries()) {
    const copy = { ...config, name: `writer_cost_${place}` };
    await admin.unsafe(`DROP DATABASE IF EXISTS ${copy.name} WITH (FORCE)`);
    await admin.unsafe(`CREATE DATABASE ${copy.name} TEMPLATE ${config.name}`);
    const client = createClient(copy, {
      max: 1,
      applicationName: 'tasks perf',
      statementTimeoutMs: 0,
    });
    await client.unsafe(change);
    await client.unsafe('VACUUM (ANALYZE) tasks, tasks_texts, tasks_unindexed');
    const server = await startService(copy, dataDir);
    subjects.push({ name, client, server });
    process.stderr.write(`${name}: ready\n`);
  }

  const samples: WriterSample[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const operation of operations) {
      for (const connections of options.connections) {
        for (const { name, client, server } of rotate(subjects, round)) {
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
          await indexAllTexts(client);
          await client.unsafe('VACUUM tasks, tasks_texts, tasks_unindexed');
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
} finally {
  await stopChildren();
  await databases.close();
}

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
/** What of the triggers' functions writes the queue: the last part of each. */
const queueing = 'INSERT INTO tasks_unindexed.*';

/** A copy of the database, from which something was taken away. */
interface Variant {
  readonly name: string;
  readonly change?: string;
  /** Ids are queued, so that texts are to be indexed after each run. */
  readonly hasQueue: boolean;
}

/** Otherwise the service would notice what is missing, and count a million tasks anew in between. */
const withoutRepair =
  'DROP FUNCTION tasks_recount(), tasks_mend_triggers(), tasks_triggers_amiss();';
/** Nothing is queued, so nothing is indexed; a search would not find anything soon. */
const withoutQueue = withoutRepair + shortenTriggers(queueing);
const withoutCounts = withoutRepair + shortenTriggers('IF (?:added|gone|moved)\\.first_block = .*');

const variants: readonly Variant[] = [
  { name: 'everything', hasQueue: true },
  {
    name: 'without a key of the queue and bounds of times',
    hasQueue: true,
    change: `${withoutRepair}
      ALTER TABLE tasks_unindexed DROP COLUMN place, DROP COLUMN queued_at;
      ALTER TABLE tasks DROP CONSTRAINT tasks_bounds_check`,
  },
  {
    name: 'with the index of texts in the way of writes',
    hasQueue: false,
    change: `${withoutQueue}
      CREATE INDEX tasks_text ON tasks USING gin (title gin_trgm_ops, description gin_trgm_ops)`,
  },
  { name: 'without the index of texts', hasQueue: false, change: withoutQueue },
  {
    name: 'without counts of blocks and sort orders, too',
    hasQueue: false,
    change: `${withoutCounts}
      DROP INDEX tasks_title_id, tasks_created_at_id, tasks_updated_at_id`,
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
    for (const [place, { name, change, hasQueue }] of variants.entries()) {
      const copy = { ...config, name: `writer_cost_${place}` };
      await admin.unsafe(`DROP DATABASE IF EXISTS ${copy.name} WITH (FORCE)`);
      await admin.unsafe(`CREATE DATABASE ${copy.name} TEMPLATE ${config.name}`);
      const client = createClient(copy, {
        max: 1,
        applicationName: 'tasks perf',
        statementTimeoutMs: 0,
      });
      if (change !== undefined) await client.unsafe(change);
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

/** @param part a regular expression: from where on the functions do nothing more. */
function shortenTriggers(part: string): string {
  return `DO $shorten$
    DECLARE
      name text;
      former text;
      shorter text;
    BEGIN
      FOREACH name IN ARRAY ARRAY['inserted', 'deleted', 'updated'] LOOP
        former := pg_get_functiondef(format('tasks_%s()', name)::regprocedure);
        shorter := regexp_replace(former, '${part}(RETURN NULL;\\s+END)', '\\1');
        IF shorter = former THEN
          RAISE EXCEPTION 'tasks_% has another form', name;
        END IF;
        EXECUTE shorter;
      END LOOP;
    END $shorten$;`;
}

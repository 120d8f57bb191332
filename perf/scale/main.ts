/**
 * The list on 1 k, 100 k, 1 M and 10 M tasks, over HTTP and uncached: what a page, a filter, a sort
 * order or a step of a cursor costs beside the same on a thousand.
 *
 *   bin/node dist/perf/scale/main.js [--sizes 1k,100k,1M,10M] [--rounds 100]
 *
 * One database for each size in one server, made once (ten million take about ten minutes and
 * 10 GB) and kept in .data/scale. All services run at once; requests go round from size to size.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openDatabases } from '../support/databases.ts';
import { describeSettings, today } from '../support/machine.ts';
import { writeResults } from '../support/results.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { createAsker } from './asker.ts';
import { makeCases } from './cases.ts';
import { scaleReport } from './report.ts';
import { measureCase, type ScaleSample, type Subject } from './rounds.ts';
import { parseSize } from './sizes.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1k,100k,1M,10M' },
    rounds: { type: 'string', default: '100' },
    data: { type: 'string', default: '.data/scale' },
    results: { type: 'string', default: 'perf/results' },
  },
});
const sizes = values.sizes.split(',').map(parseSize);
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error('--rounds: expected a whole number above 0');

await runSession(
  () => openDatabases(resolve(values.data), sizes),
  async (databases) => {
    const subjects: Subject[] = [];
    for (const { size, config, sql } of databases.each) {
      const server = await startService(config, values.data, { CACHE_MAX_BYTES: '0' });
      const asker = createAsker(server.url);
      subjects.push({ size, asker, cases: await makeCases(sql, asker, size) });
    }

    const samples: ScaleSample[] = [];
    for (const { name } of subjects[0]!.cases) {
      samples.push(...(await measureCase(name, subjects, rounds)));
      process.stderr.write(`${name}\n`);
    }

    const settings = describeSettings({
      command: `bin/node dist/perf/scale/main.js --sizes ${values.sizes} --rounds ${rounds}`,
      postgresVersion: databases.version,
      peers: [],
    });
    const markdown = scaleReport(settings, sizes, rounds, samples);
    process.stdout.write(markdown);
    writeResults(values.results, `${today()}-scale`, { markdown, json: { settings, samples } });
  },
);

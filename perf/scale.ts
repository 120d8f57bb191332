/**
 * Measures lists with 1 k, 100 k, 1 M and 10 M tasks, over HTTP and uncached: the cost of a page, a
 * filter, a sort order or a step of a cursor, compared with a thousand tasks.
 *
 *   bin/node dist/perf/scale.js [--sizes 1k,100k,1M,10M] [--rounds 100]
 *
 * One database for each size on one server, created once (ten million take about ten minutes and 10
 * GB) and kept in .data/scale. All services run at once; requests alternate between sizes.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createAsker } from './scale/asker.ts';
import { makeCases } from './scale/cases.ts';
import { openDatabases } from './scale/databases.ts';
import { measureCase, type ScaleSample, type Subject } from './scale/measure.ts';
import { scaleReport } from './scale/report.ts';
import { parseSize } from './scale/sizes.ts';
import { endChildrenOnSignals, stopChildren } from './support/children.ts';
import { describeSettings, today } from './support/machine.ts';
import { writeResults } from './support/results.ts';
import { startService } from './support/service.ts';

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

endChildrenOnSignals();
const databases = await openDatabases(resolve(values.data), sizes);
try {
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
    command: `bin/node dist/perf/scale.js --sizes ${values.sizes} --rounds ${rounds}`,
    postgresVersion: databases.version,
    peers: [],
  });
  const markdown = scaleReport(settings, sizes, rounds, samples);
  process.stdout.write(markdown);
  writeResults(values.results, `${today()}-scale`, { markdown, json: { settings, samples } });
} finally {
  await stopChildren();
  await databases.close();
}

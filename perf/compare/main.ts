/**
 * Compares two builds or two settings under the same load, in turns.
 *
 *   bin/node dist/perf/compare/main.js --scenario get --connections 64 --rounds 10 --seconds 3
 *     --a PPROF_ENABLED=false --b PPROF_ENABLED=true
 *     --program-a ../before/dist/src/main.js
 *
 * `--a` and `--b` take space-separated variables. The default program is the current build.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureServer } from '../load/closed-loop/run.ts';
import { scenarioNames } from '../load/scenarios.ts';
import { startDatabase } from '../support/database.ts';
import { microseconds, table, whole, withSpread } from '../support/markdown.ts';
import { serviceProgram } from '../support/paths.ts';
import { cpuPerRequest, type Sample } from '../support/sample.ts';
import { startService } from '../support/service.ts';
import { runSession } from '../support/session.ts';
import { rotate, spreadOf } from '../support/statistics.ts';
import { withNumberOf } from './replaced-files.ts';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'get' },
    connections: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '3' },
    data: { type: 'string', default: '.data/perf' },
    a: { type: 'string', default: '' },
    b: { type: 'string', default: '' },
    'program-a': { type: 'string' },
    'program-b': { type: 'string' },
  },
});
const scenario = scenarioNames.find((name) => name === values.scenario);
if (scenario === undefined) throw new Error(`--scenario: one of ${scenarioNames.join(', ')}`);
const connections = positive('connections', values.connections);
const rounds = positive('rounds', values.rounds);
const seconds = positive('seconds', values.seconds);
const subjects = ['a', 'b'] as const;
type Subject = (typeof subjects)[number];

await runSession(
  () => startDatabase(values.data),
  async (database) => {
    const servers = {
      a: await start('a', values['program-a']),
      b: await start('b', values['program-b']),
    };
    const samples: Record<Subject, Sample[]> = { a: [], b: [] };
    // The first round is for V8 to compile what is hot.
    for (let round = -1; round < rounds; round++) {
      for (const subject of rotate(subjects, round + 2)) {
        const sample = await measureServer({
          server: servers[subject],
          postgresPid: database.pid,
          scenario: scenario!,
          connections,
          seconds,
          warmupSeconds: 0.5,
          seed: 2 + round,
        });
        if (scenario === 'post') await database.trim();
        if (round < 0) continue;
        samples[subject].push(sample);
        process.stderr.write(`${round + 1} ${subject} ${sample.rate.toFixed(0)}/s\n`);
      }
    }
    process.stdout.write(`${report(samples)}\n`);

    function start(subject: Subject, program: string | undefined) {
      const settings = values[subject].split(' ').filter((word) => word !== '');
      const environment = Object.fromEntries(settings.map((word) => word.split('=', 2)));
      const used = program === undefined ? serviceProgram : resolve(program);
      return withNumberOf(database.config, used, () =>
        startService(database.config, resolve(values.data), environment, { program: used }),
      );
    }
  },
);

function report(samples: Readonly<Record<Subject, readonly Sample[]>>): string {
  const rows = subjects.map((subject) => {
    const own = samples[subject];
    const shares = own.map(({ rate }, round) => rate / samples.a[round]!.rate);
    const cpu = own.map((sample) => cpuPerRequest(sample, 'service') ?? Number.NaN);
    return [
      subject,
      withSpread(spreadOf(own.map(({ rate }) => rate)), whole),
      withSpread(spreadOf(shares), (value) => value.toFixed(3)),
      withSpread(spreadOf(own.map(({ latencyUs }) => latencyUs.p50)), microseconds),
      withSpread(spreadOf(own.map(({ latencyUs }) => latencyUs.p99)), microseconds),
      withSpread(spreadOf(cpu), (value) => value.toFixed(2)),
    ];
  });
  return table(
    ['', 'requests/s', 'b to a, each round', 'p50 µs', 'p99 µs', 'service CPU µs/request'],
    rows,
  );
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name}: expected a whole number above 0`);
}

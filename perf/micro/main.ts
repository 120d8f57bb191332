/**
 * Benchmarks of the service's parts, printed as `go test -bench` prints them; docs/benchmarks.md.
 *
 *   bin/node dist/perf/micro/main.js [-bench=regexp] [-count=10] [-benchtime=1s|100x]
 *     [-shuffle=off|on|N] [-cpuprofile=file] [-memprofile=file] [-data=folder]
 */
import { allBenchmarks } from './benchmarks.ts';
import { createEmbeddedTasks } from './harness/embedded-tasks.ts';
import { type Flags, parseFlags } from './harness/flags.ts';
import { runBenchmarks } from './harness/run.ts';
import { startProfiles } from './profile/profiles.ts';

const interruption = new AbortController();

// The second one ends the process at once; the next run takes the database over.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interruption.abort(new Error('interrupted')));
}

const parsed = parseFlags(process.argv.slice(2));
if (parsed.ok) await main(parsed.flags).catch(fail);
else fail(new Error(parsed.message), 2);

async function main(flags: Flags): Promise<void> {
  const embedded = createEmbeddedTasks(flags.data);
  try {
    const chosen = allBenchmarks(embedded.open).filter(({ name }) => flags.bench.matches(name));
    if (chosen.length === 0) throw new Error('-bench: no benchmark has such a name');
    // Starting the database is no part of a profile.
    if (flags.cpuprofile !== '' || flags.memprofile !== '') {
      for (const benchmark of chosen) await benchmark.prepare(1);
    }
    const profiles = await startProfiles(flags);
    const write = (text: string): void => void process.stdout.write(text);
    const passed = await runBenchmarks(chosen, flags, write, interruption.signal);
    await profiles.write();
    if (!passed) process.exitCode = 1;
  } finally {
    await embedded.close();
  }
}

function fail(error: Error, exitCode = 1): void {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = interruption.signal.aborted ? 130 : exitCode;
}

/**
 * Microbenchmarks of the service's parts, in the format of `go test -bench`; docs/benchmarks.md.
 *
 *   bin/node dist/perf/micro/main.js [-bench=regexp] [-count=10] [-benchtime=1s|100x]
 *     [-shuffle=off|on|N] [-cpuprofile=file] [-memprofile=file] [-data=folder]
 */
import { allBenchmarks } from './benchmarks.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { createEmbeddedTasks } from './harness/embedded-tasks.ts';
import { type Flags, parseFlags } from './harness/flags.ts';
import { runInProcesses } from './harness/processes.ts';
import { runRounds, withFrame } from './harness/run.ts';
import { startProfiles } from './profile/profiles.ts';

const interruption = new AbortController();

// A second signal ends the process at once; the next run adopts the database.
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
    if (!(await run(flags, chosen))) process.exitCode = 1;
  } finally {
    await embedded.close();
  }
}

function run(flags: Flags, chosen: readonly Benchmark[]): Promise<boolean> {
  const { count, round } = flags;
  const { signal } = interruption;
  if (round !== null) return runRounds(chosen, { ...flags, first: round, count: 1 }, write, signal);
  const isProfiled = flags.cpuprofile !== '' || flags.memprofile !== '';
  return withFrame(write, () => {
    // A profile covers one process.
    if (isProfiled) return runProfiled(flags, chosen);
    return runInProcesses(process.argv.slice(2), count, signal);
  });
}

async function runProfiled(flags: Flags, chosen: readonly Benchmark[]): Promise<boolean> {
  // The start of the database is not measured.
  for (const benchmark of chosen) await benchmark.prepare(1);
  const profiles = await startProfiles(flags);
  const passed = await runRounds(chosen, { ...flags, first: 1 }, write, interruption.signal);
  await profiles.write();
  return passed;
}

function write(text: string): void {
  process.stdout.write(text);
}

function fail(error: Error, exitCode = 1): void {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = interruption.signal.aborted ? 130 : exitCode;
}

/**
 * Compares two files of benchmark results with Go's benchstat if available, otherwise with the same
 * statistics computed here. The first line of the output names the method.
 *
 *   bin/node dist/perf/micro/benchstat/main.js [-own] old.txt new.txt
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { alpha, compareResults } from './compare.ts';
import { type Parsed, parseResults, type Result } from './parse.ts';
import { formatTables } from './table.ts';

/** The first use downloads benchstat, which may fail. */
const downloadMaxMs = 60_000;
const tool = 'golang.org/x/perf/cmd/benchstat@latest';

const args = process.argv.slice(2);
const files = args.filter((arg) => arg !== '-own');
const [old, next] = files;
if (old === undefined || next === undefined || files.length > 2) {
  fail('expected two files: make benchstat OLD=old.txt NEW=new.txt', 2);
} else if (args.includes('-own') || !compareByGo([old, next])) {
  compareHere(old, next);
}

/** @returns whether benchstat is available. Passes its output on. */
function compareByGo(compared: readonly string[]): boolean {
  const found = spawnSync('benchstat', compared, { encoding: 'utf8' });
  if (found.error === undefined) {
    say('benchstat', found.stdout);
    process.stderr.write(found.stderr);
    process.exitCode = found.status ?? 1;
    return true;
  }
  const downloaded = spawnSync('go', ['run', tool, ...compared], {
    encoding: 'utf8',
    timeout: downloadMaxMs,
  });
  if (downloaded.error !== undefined || downloaded.status !== 0) return false;
  say(`go run ${tool}`, downloaded.stdout);
  process.stderr.write(downloaded.stderr);
  return true;
}

function compareHere(oldFile: string, newFile: string): void {
  const before = read(oldFile);
  const after = read(newFile);
  if (before === undefined || after === undefined) return;
  for (const key of differingKeys(before.results[0]!, after.results[0]!)) {
    process.stderr.write(`warning: ${key} is not the same in both files\n`);
  }
  const tables = compareResults(before.results, after.results);
  say(
    `this repository's own statistics (no Go benchstat was run): median ± 95 % confidence ` +
      `interval, U test of Mann and Whitney, ~ where p > ${alpha}`,
    formatTables(tables, { old: oldFile, new: newFile }),
  );
}

/** Results of another processor or system do not compare code. */
function differingKeys(first: Result, second: Result): string[] {
  const keys = new Set([...first.keys.keys(), ...second.keys.keys()]);
  return [...keys].filter((key) => first.keys.get(key) !== second.keys.get(key));
}

function say(who: string, text: string): void {
  process.stdout.write(`# by ${who}\n${text}`);
}

function read(file: string): Parsed | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return fail((error as Error).message);
  }
  const parsed = parseResults(text);
  for (const fault of parsed.faults) process.stderr.write(`${file}, ${fault}\n`);
  return parsed.results.length > 0 ? parsed : fail(`${file} has no benchmark results`);
}

function fail(message: string, exitCode = 1): undefined {
  process.stderr.write(`${message}\n`);
  process.exitCode = exitCode;
}

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allBenchmarks } from '../../perf/micro/benchmarks.ts';
import {
  makeTasks,
  openTaskDatabase,
  seededTasks,
  type TaskDatabase,
} from '../../perf/micro/harness/database.ts';
import { runRounds } from '../../perf/micro/harness/run.ts';
import { stopEmbedded } from '../../src/embedded/embedded.ts';
import { parseResults } from '../support/go-benchmarks.ts';
import { root } from '../support/house.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const program = fileURLToPath(new URL('../../perf/micro/main.js', import.meta.url));
const outputWaitMs = 60_000;

let folder: string;
let database: TestDatabase;
let tasks: TaskDatabase;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'b-'));
  database = await createTestDatabase('benchmarks');
  tasks = await openTaskDatabase(database.config);
});

after(async () => {
  await tasks?.close();
  await database?.drop();
  await stopEmbedded(join(folder, 'data'));
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that a reader of the table can see. */
async function readState(): Promise<unknown> {
  const [row] = await database.sql`
    SELECT count(*) AS count, max(id) AS newest, sum(version) AS versions,
      md5(string_agg(concat_ws('|', id, title, description, status, assignee_id, created_at,
        updated_at), ',' ORDER BY id)) AS content
    FROM tasks`;
  return { ...row };
}

test('every benchmark runs, and its lines are read back as what was asked for', async () => {
  const benchmarks = allBenchmarks(() => Promise.resolve(tasks));
  const names = benchmarks.map(({ name }) => name);
  assert.deepEqual([...new Set(names)], names, 'a name stands for one benchmark');
  let text = '';
  const passed = await runRounds(
    benchmarks,
    { first: 1, count: 2, benchtime: { unit: 'operations', value: 3 }, shuffle: 1 },
    (part) => {
      text += part;
    },
    new AbortController().signal,
  );
  assert.ok(passed, text);

  const { results, faults } = parseResults(text);
  assert.deepEqual(faults, []);
  assert.equal(results.length, 2 * names.length);
  for (const name of names) {
    const own = results.filter((result) => result.name.replace(/-\d+$/, '') === name);
    assert.equal(own.length, 2, name);
    for (const { operations, values } of own) {
      assert.equal(operations, 3);
      assert.ok(values.get('ns/op')! > 0, name);
      assert.ok(values.has('B/op'), name);
      assert.equal(values.has('ns/request'), name.includes('batch=32') && isTask(name), name);
    }
  }
});

const isTask = (name: string): boolean => /^(Create|Get|Update|Delete|List)Tasks?(\/|$)/.test(name);

test('what a benchmark leaves behind is gone before the next, and each run has the same tasks', async () => {
  await tasks.reset();
  const clean = await readState();
  assert.equal((clean as { count: string }).count, String(seededTasks));
  const ids = await tasks.add(makeTasks(100));
  assert.equal(new Set(ids).size, 100);
  assert.notDeepEqual(await readState(), clean);
  await tasks.reset();
  assert.deepEqual(await readState(), clean);

  const writing = allBenchmarks(() => Promise.resolve(tasks)).filter(({ name }) =>
    /^(Create|Update|Delete)Task/.test(name),
  );
  assert.equal(writing.length, 6);
  const signal = new AbortController().signal;
  const options = {
    first: 1,
    benchtime: { unit: 'operations', value: 5 },
    count: 1,
    shuffle: 1,
  } as const;
  assert.ok(await runRounds(writing, options, () => undefined, signal));
  await tasks.reset();
  assert.deepEqual(await readState(), clean);

  await tasks.close();
  tasks = await openTaskDatabase(database.config);
  assert.deepEqual(await readState(), clean);
});

test('an answer that a benchmark does not expect makes it fail', async () => {
  const remove = allBenchmarks(() => Promise.resolve(tasks)).find(
    ({ name }) => name === 'DeleteTask',
  )!;
  const timed = await remove.prepare(2);
  await timed();
  await assert.rejects(timed() as Promise<unknown>, /^Error: answered 404, not 204/);
});

test('the program starts a PostgreSQL of its own, prints results, and leaves no process', async () => {
  const { code, stdout } = await runProgram(['-bench=^GetTask$', '-benchtime=10x', '-count=2']);
  assert.equal(code, 0, stdout);
  const { results } = parseResults(stdout);
  assert.deepEqual(
    results.map(({ name, operations }) => [name.split(/[-/]/)[0], operations]),
    Array(4).fill(['GetTask', 10]),
  );
  assert.equal(stdout.split('goos:').length, 2, 'two processes, one header');
  assert.match(stdout, /^PASS\nok {2}\t/m);
  assert.deepEqual(readdirSync(join(folder, 'data', 'socket')), []);
});

test('profiles of CPU time and of the heap open in go tool pprof, with the TypeScript', {
  skip: spawnSync('go', ['version']).status === 0 ? false : 'there is no Go in PATH',
}, async () => {
  const [cpu, heap] = [join(folder, 'deep', 'cpu.prof'), join(folder, 'heap.prof')];
  const { code, stderr } = await runProgram([
    '-bench=^ParseFilter$/terms|^GetTask$',
    '-benchtime=200ms',
    `-cpuprofile=${cpu}`,
    `-memprofile=${heap}`,
  ]);
  assert.equal(code, 0, stderr);
  const pprof = (...args: string[]): string => {
    const read = spawnSync('go', ['tool', 'pprof', ...args], { cwd: root, encoding: 'utf8' });
    assert.equal(read.status, 0, read.stderr);
    return read.stdout;
  };
  const cpuTop = pprof('-top', '-cum', '-nodefraction=0', cpu);
  assert.match(cpuTop, /^Type: cpu$/m);
  assert.match(cpuTop, /contract\/filter\.parseFilter$/m);
  assert.doesNotMatch(cpuTop, /idle/);
  const heapTop = pprof('-top', '-cum', '-nodefraction=0', heap);
  assert.match(heapTop, /^Type: alloc_space$/m);
  assert.match(heapTop, /contract\/filter\.readTerm$/m);

  const list = pprof('-list', 'filter.parseFilter$', cpu);
  assert.match(list, /ROUTINE =+ contract\/filter\.parseFilter in src\/contract\/filter\.ts$/m);
  assert.match(list, /const term = readTerm\(reader\);$/m);
});

test('Ctrl-C ends it in order, and what it has printed stays', async () => {
  const { code, stdout, stderr } = await runProgram(
    ['-bench=GetTask', '-benchtime=300ms', '-count=1000'],
    /BenchmarkGetTask/,
  );
  assert.equal(code, 130, stderr);
  assert.match(stderr, /interrupted/);
  assert.ok(parseResults(stdout).results.length > 0);
  assert.deepEqual(readdirSync(join(folder, 'data', 'socket')), []);
});

test('the program says what it cannot do, and does nothing', async () => {
  const wrong = await runProgram(['-benchtime=soon']);
  assert.deepEqual([wrong.code, wrong.stdout], [2, '']);
  assert.match(wrong.stderr, /-benchtime=soon: expected/);
  const none = await runProgram(['-bench=Nobody']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /no benchmark has such a name/);
});

/** @param interruptAt sends SIGINT when the output contains it. */
async function runProgram(
  args: readonly string[],
  interruptAt?: RegExp,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [program, `-data=${join(folder, 'data')}`, ...args], {
    timeout: outputWaitMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (interrupted || interruptAt?.test(stdout) !== true) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/**
 * Batches of random rows with random obstacles, compared with a model: each request gets its own
 * result, reported effects exist, and no others do. OBSTACLE_BATCHES=10000 is the long form.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  hasKeyFlag,
  hasVersionsFlag,
  mergePatchFlag,
  type RequestItem,
  type ResponseItem,
  replayedFlag,
} from '../../src/batching/frames.ts';
import { problemCodes } from '../../src/contract/problems.ts';
import { createExecutor, type Executor } from '../../src/tasks/executor.ts';
import {
  changedDescription,
  dropRole,
  lateLock,
  putObstacles,
  refusals,
} from '../support/obstacles.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const batches = Number(process.env['OBSTACLE_BATCHES'] ?? 200);
const seed = Number(process.env['OBSTACLE_SEED'] ?? Date.now() % 2 ** 31);
const timeoutMs = 2400;
/** Longer than a batch's first attempt, and than a half's; shorter than that of a single row. */
const delays = { slowSeconds: 0.7, stuckSeconds: 30 };
const rowsMax = 80;
const batchMax = 24;

let database: TestDatabase;
let executor: Executor;
let role: string;
let random: () => number;

before(async () => {
  database = await createTestDatabase('obstacles');
  role = `${database.config.name}_app`;
  await putObstacles(database.sql, role, delays);
  executor = createExecutor({
    database: { ...database.config, user: role },
    applicationName: 'obstacles',
    statementTimeoutMs: timeoutMs,
  });
  await executor.warm();
});

after(async () => {
  await executor?.close();
  await dropRole(database.sql, role);
  await database?.drop();
});

interface Stored {
  readonly id: number;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly assigneeID: number;
}

/** A possible result: a status, or a problem's code. */
type Outcome = string | number;

interface Planned {
  readonly item: RequestItem;
  /** The most likely result first. */
  readonly may: readonly Outcome[];
  /** What is stored after 200 or 201. */
  readonly stored?: Partial<Stored>;
  readonly obstacle: string;
  readonly key?: string;
}

interface Kept {
  readonly fingerprint: string;
  readonly body: string;
  readonly id: number;
}

const tasks = new Map<number, Stored>();
/** A foreign key refers to these tasks. */
const noted = new Set<number>();
const keys = new Map<string, Kept>();
const seen = new Map<string, number>();
let counter = 0;

function pick<Value>(values: readonly Value[]): Value {
  return values[Math.floor(random() * values.length)]!;
}

function chance(share: number): boolean {
  return random() < share;
}

function itemOf(fields: Partial<RequestItem>): RequestItem {
  return { id: 0, flags: 0, extra: '', body: new Uint8Array(0), ...fields };
}

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const late: ReadonlySet<string> = new Set(['slow', 'stuck', 'late', 'locked', 'deadlock']);

/** Slow and late ones take seconds, so they are rare. */
function obstacleOfWrite(isRare: boolean): string {
  if (isRare) return pick(['slow', 'stuck', 'late', 'late']);
  return pick([...refusals, 'change', 'change', 'renumber']);
}

function outcomesOf(obstacle: string, success: number): readonly Outcome[] {
  if ((refusals as readonly string[]).includes(obstacle)) {
    // Only the first of equal unique values passes.
    return obstacle === 'unique' ? ['rejected', success] : ['rejected'];
  }
  if (obstacle === 'stuck' || obstacle === 'late') return ['unavailable'];
  return obstacle === 'slow' ? [success, 'unavailable'] : [success];
}

function planWrite(obstacle: string): { title: string; stored: Partial<Stored>; body: object } {
  counter++;
  const title = `${obstacle} ${counter}`;
  const assigneeID = counter % 1000;
  const body = { title, assigneeID, description: `of ${counter}` };
  const stored =
    obstacle === 'change'
      ? { title: `${title} changed`, description: changedDescription, assigneeID }
      : body;
  return { title, stored, body };
}

function planCreates(obstacles: readonly string[], keyed: boolean): Planned[] {
  const planned: Planned[] = [];
  for (const obstacle of obstacles) {
    const { body, stored } = planWrite(obstacle);
    const base = { may: outcomesOf(obstacle, 201), stored, obstacle };
    if (!keyed || chance(0.2)) {
      planned.push({ ...base, item: itemOf({ body: bytes(body) }) });
      continue;
    }
    const key = `key-${counter}`;
    const item = itemOf({ body: bytes(body), flags: hasKeyFlag, extra: key });
    planned.push({ ...base, item, key });
    // When a batch runs in halves, one may be done before the other starts.
    if (chance(0.1))
      planned.push({
        ...base,
        item,
        key,
        may: ['conflict', 'replayed', ...base.may],
        obstacle: 'same key',
      });
    const again = [...keys][Math.floor(random() * keys.size)];
    if (again === undefined || !chance(0.3) || planned.some((one) => one.key === again[0]))
      continue;
    const [known, { fingerprint }] = again;
    const isSame = chance(0.7);
    planned.push({
      item: itemOf({
        body: isSame ? Buffer.from(fingerprint) : bytes({ title: `another ${counter}` }),
        flags: hasKeyFlag,
        extra: known,
      }),
      may: [isSame ? 'replayed' : 'idempotency_key_reused'],
      obstacle: 'known key',
      key: known,
    });
  }
  return planned;
}

function planOnTasks(kind: 'change' | 'remove', obstacles: readonly string[], form: string) {
  const free = [...tasks.keys()];
  const planned: Planned[] = [];
  for (const obstacle of obstacles) {
    const isMissing = chance(0.05);
    const [id] = isMissing
      ? [2 ** 50 + counter++]
      : free.splice(Math.floor(random() * free.length), 1);
    if (id === undefined) break;
    const task = tasks.get(id);
    const plan = planWrite(obstacle);
    const isConditional = form === 'conditional' && chance(0.7);
    const isWrong = isConditional && chance(0.3);
    const version = task === undefined ? 1 : task.version;
    const condition = isConditional
      ? {
          flags: hasVersionsFlag,
          extra: chance(0.5) ? named(isWrong, version) : refused(isWrong, version),
        }
      : { flags: 0, extra: '' };
    const isIdle = kind === 'change' && form === 'conditional' && chance(0.1);
    let may = kind === 'change' ? outcomesOf(obstacle, 200) : removalOf(task, obstacle);
    // A policy hides the row from the writer.
    if (kind === 'change' && task?.description === 'untouchable') may = ['rejected'];
    else if (isWrong)
      may = ['precondition_failed', ...(obstacle === 'locked' ? ['unavailable'] : [])];
    else if (isIdle) may = [200, ...(obstacle === 'locked' ? ['unavailable'] : [])];
    // A condition locks the row first, so the policy for changes applies too.
    if (kind === 'remove' && task?.description === 'untouchable') may = [...may, 'rejected'];
    if (task === undefined) may = ['not_found'];
    const { assigneeID: _, ...rest } = task ?? { assigneeID: 0 };
    planned.push({
      item: itemOf({
        id,
        ...condition,
        ...(kind === 'change' ? { body: bytes(isIdle ? {} : plan.body) } : {}),
        ...(isIdle ? { flags: condition.flags | mergePatchFlag } : {}),
      }),
      may,
      stored: isIdle
        ? { ...task }
        : { ...rest, ...plan.stored, id, version: version + (obstacle === 'change' ? 6 : 1) },
      obstacle,
    });
  }
  return planned;
}

/** In the form of If-Match. */
function named(isWrong: boolean, version: number): string {
  return isWrong ? String(version + 1) : `${version + 7},${version}`;
}

/** In the form of If-None-Match. */
function refused(isWrong: boolean, version: number): string {
  return isWrong ? `${-version - 7},${-version}` : String(-version - 1);
}

function removalOf(task: Stored | undefined, obstacle: string): readonly Outcome[] {
  if (task === undefined) return ['not_found'];
  if (['keep', 'guard', 'hidden'].includes(task.description) || noted.has(task.id))
    return ['rejected'];
  return obstacle === 'locked' ? ['unavailable'] : [204];
}

/** Tasks to change and remove, some with a guard, created by the owner of the table. */
async function refill(): Promise<void> {
  const rows = await database.sql<{ id: string; description: string }[]>`
    INSERT INTO tasks (title, description, assignee_id)
    SELECT 'stock ' || n, CASE n % 12 WHEN 0 THEN 'keep' WHEN 1 THEN 'guard' WHEN 2 THEN 'noted'
      WHEN 3 THEN 'hidden' WHEN 4 THEN 'untouchable' ELSE 'free' END, n
    FROM generate_series(1, 48) AS n RETURNING id, description`;
  for (const { id, description } of rows) {
    if (description !== 'noted') continue;
    await database.sql`INSERT INTO notes VALUES (${id})`;
    noted.add(Number(id));
  }
  await readTable();
}

async function storedTasks(): Promise<Stored[]> {
  const rows = await database.sql`
    SELECT id, version, title, description, status, assignee_id FROM tasks ORDER BY id`;
  return rows.map((row) => ({
    id: Number(row['id']),
    version: Number(row['version']),
    title: String(row['title']),
    description: String(row['description']),
    status: String(row['status']),
    assigneeID: Number(row['assignee_id']),
  }));
}

async function readTable(): Promise<void> {
  tasks.clear();
  for (const task of await storedTasks()) tasks.set(task.id, task);
}

function outcomeOf({ status, problem, flags }: ResponseItem): Outcome {
  if (problem !== 0) return problemCodes[problem - 1]!;
  return (flags & replayedFlag) === 0 ? status : 'replayed';
}

/** Compares each result with the possible ones, and the stored task with the model. */
function takeAnswer(planned: Planned, answer: ResponseItem, isLate: boolean): void {
  const { item, stored, obstacle, key } = planned;
  // Next to a waiting row, the time may run out for others on a busy machine: `unavailable`.
  const may = isLate ? [...planned.may, 'unavailable'] : planned.may;
  const outcome = outcomeOf(answer);
  const text = Buffer.from(answer.body).toString();
  const story = `seed ${seed}, ${obstacle}: ${outcome}, not ${may.join(' or ')} (${text})`;
  assert.ok(may.includes(outcome), story);
  seen.set(`${obstacle} ${outcome}`, (seen.get(`${obstacle} ${outcome}`) ?? 0) + 1);
  if (outcome === 204) {
    tasks.delete(item.id);
    return;
  }
  if (outcome === 'replayed') {
    assert.equal(text, keys.get(key!)!.body, story);
    return;
  }
  if (outcome !== 200 && outcome !== 201) {
    assert.doesNotMatch(text, /secret/);
    return;
  }
  const { createdAt: _, updatedAt: __, ...data } = JSON.parse(text).data;
  const task: Stored = { ...data, version: answer.version };
  for (const [field, value] of Object.entries(stored ?? {})) {
    assert.equal(task[field as keyof Stored], value, `${field}: ${story}`);
  }
  assert.equal(answer.id, task.id);
  tasks.set(task.id, task);
  if (key === undefined) return;
  keys.set(key, { fingerprint: Buffer.from(item.body).toString(), body: text, id: task.id });
}

async function compareTable(): Promise<void> {
  const expected = [...tasks.values()].sort((one, other) => one.id - other.id);
  assert.deepEqual(await storedTasks(), expected, `seed ${seed}`);
  const kept = await database.sql<{ key: string; task_id: string }[]>`
    SELECT key, task_id FROM idempotency_keys ORDER BY key COLLATE "C"`;
  assert.deepEqual(
    kept.map(({ key, task_id }) => [key, Number(task_id)]),
    [...keys].map(([key, { id }]) => [key, id]).sort(([a], [b]) => (a! < b! ? -1 : 1)),
    `seed ${seed}`,
  );
}

/** Holds the locks that the batch needs. */
async function withHolder<Result>(
  planned: readonly Planned[],
  run: () => Promise<Result>,
): Promise<Result> {
  const isLate = planned.some(({ obstacle }) => obstacle === 'late');
  const locked = planned.filter(({ obstacle }) => obstacle === 'locked').map(({ item }) => item.id);
  const crossed = planned.find(({ obstacle }) => obstacle === 'deadlock');
  if (!isLate && locked.length === 0 && crossed === undefined) return run();
  const holder = await database.sql.reserve();
  try {
    await holder`BEGIN`;
    if (isLate) await holder`SELECT pg_advisory_xact_lock(${lateLock})`;
    if (locked.length > 0) await holder`SELECT FROM tasks WHERE id IN ${holder(locked)} FOR UPDATE`;
    if (crossed === undefined) return await run();
    await holder`SELECT FROM tasks_state FOR UPDATE`;
    let isDone = false;
    const running = run().finally(() => {
      isDone = true;
    });
    // The service's transaction has its rows and waits for the state row; then it blocks the other
    // one.
    while (!isDone && !(await isWaiting())) await sleep(2);
    await holder`SELECT FROM tasks WHERE id = ${crossed.item.id} FOR UPDATE`.catch(() => undefined);
    await holder`ROLLBACK`;
    return await running;
  } finally {
    await holder`ROLLBACK`;
    holder.release();
  }
}

async function isWaiting(): Promise<boolean> {
  const rows = await database.sql`
    SELECT FROM pg_stat_activity
    WHERE application_name LIKE 'obstacles %' AND datname = current_database()
      AND wait_event_type = 'Lock'`;
  return rows.length > 0;
}

function planBatch(): { kind: 'create' | 'change' | 'remove'; planned: Planned[] } {
  const kind = pick(['create', 'create', 'change', 'change', 'remove'] as const);
  const form = pick(['plain', kind === 'create' ? 'keyed' : 'conditional']);
  const size = chance(0.15) ? 1 : 1 + Math.floor(random() * batchMax);
  const isRare = chance(0.01);
  const met = 1 + (chance(0.3) ? Math.floor(random() * 4) : 0);
  const obstacles = new Array<string>(size).fill('none');
  for (let one = 0; one < (isRare ? 1 : met); one++) {
    const place = Math.floor(random() * size);
    if (kind === 'remove') obstacles[place] = isRare ? 'locked' : pick(['none', 'deadlock']);
    else obstacles[place] = obstacleOfWrite(isRare);
    if (kind === 'change' && chance(0.2)) obstacles[place] = isRare ? 'locked' : 'deadlock';
  }
  // Only one at a time: the other transaction conflicts with one of the service's.
  const first = obstacles.indexOf('deadlock');
  const single = obstacles.map((one, place) =>
    one === 'deadlock' && place !== first ? 'none' : one,
  );
  return {
    kind,
    planned:
      kind === 'create' ? planCreates(single, form === 'keyed') : planOnTasks(kind, single, form),
  };
}

test('each request of a batch with obstacles gets its own answer, and that answer is true', async (t) => {
  t.diagnostic(`seed ${seed}: OBSTACLE_SEED repeats it`);
  random = generator(seed);
  let requests = 0;
  for (let batch = 0; batch < batches; batch++) {
    if (tasks.size < 30 || tasks.size > rowsMax) {
      await database.sql`TRUNCATE tasks, notes`;
      await refill();
    }
    const { kind, planned } = planBatch();
    if (planned.length === 0) continue;
    requests += planned.length;
    const items = planned.map(({ item }) => item);
    const { items: answers } = await withHolder(planned, () => executor.execute(kind, items));
    assert.equal(answers.length, planned.length);
    const isLate = planned.some(({ obstacle }) => late.has(obstacle));
    for (const [place, one] of planned.entries()) takeAnswer(one, answers[place]!, isLate);
    await compareTable();
  }
  t.diagnostic(`${batches} batches, ${requests} requests`);
  // On a busy machine the other transaction may itself time out, but rarely.
  const crossed = [...seen].filter(([what]) => what.startsWith('deadlock '));
  const lost = seen.get('deadlock unavailable') ?? 0;
  assert.ok(
    lost <= crossed.reduce((sum, [, count]) => sum + count, 0) / 5,
    `${lost} deadlocks lost`,
  );
  for (const [what, count] of [...seen].sort()) t.diagnostic(`${what}: ${count}`);
});

/** Mulberry32. */
function generator(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Clients that write and read, and a ledger of the responses. Only one client writes a task, so it
 * knows its state. An acknowledged write exists and is visible to all later reads. A rejected write
 * never takes effect. A write with an unknown outcome takes effect at most once.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { statuses } from '../../src/contract/task.ts';
import type { Client } from '../../src/database/client.ts';
import { type Answer, type Api, createApi } from './api.ts';

/** A task of one client. Its title ends with the number of the write that set it. */
interface Entry {
  /** The number of the last acknowledged title. */
  acknowledged: number;
  /** The writes without an outcome yet, or with an unknown one. */
  readonly open: Set<number>;
  removal: 'none' | 'open' | 'acknowledged';
  /** The ETag of the last acknowledged write. */
  etag: string;
  /** A write has no response: the client stops writing the task. */
  uncertain: boolean;
  /** Requests and responses, for the report of a violation. */
  readonly history: string[];
}

export interface Ledger {
  readonly tasks: ReadonlyMap<number, Entry>;
  /** Titles of creates without a known outcome. */
  readonly perhaps: ReadonlySet<string>;
  /** The responses to the other creates, by title, for the report of a violation. */
  readonly told: ReadonlyMap<string, string>;
  readonly counts: Counts;
  /** The violations, in words. */
  readonly violations: readonly string[];
}

export interface Counts {
  acknowledged: number;
  read: number;
  /** Answered 503, certainly without effect. */
  refused: number;
  /** Writes answered `outcome_unknown`, or not at all. */
  unknown: number;
}

export interface LedgerClientsOptions {
  readonly port: () => number;
  readonly clients: number;
  /** Called with the responses of all clients so far. */
  readonly isOver: (counts: Counts) => boolean;
  /** The pause after each request in milliseconds; default: none. */
  readonly pauseMs?: number;
  /** Connections may break, because processes are killed. */
  readonly mayBreak?: boolean;
  /** Called for each request that was not served. */
  readonly onTrouble?: () => void;
}

const refusedPauseMs = 10;
/** So that a client's tasks fit on one page. */
const tasksMax = 40;
const pageSize = 100;

/** Resolves at the end with a ledger for each client. */
export function keepLedgers(options: LedgerClientsOptions): Promise<Ledger[]> {
  const desks = Array.from({ length: options.clients }, (_, number) => openDesk(number));
  return Promise.all(desks.map((desk) => work(desk, desks, options)));
}

/** The title of tasks that other clients create; the table may contain them. */
export const strangerTitle = 'nobody keeps a ledger of this';

/** @throws if the table lacks an acknowledged task, or has one that no client created. */
export async function settle(sql: Client, ledgers: readonly Ledger[]): Promise<void> {
  const violations = ledgers.flatMap((ledger) => ledger.violations);
  const rows = await sql<{ id: string; title: string }[]>`
    SELECT id, title FROM tasks WHERE title <> ${strangerTitle}`;
  const stored = new Map(rows.map((row) => [Number(row.id), row.title]));
  const perhaps = new Set(ledgers.flatMap((ledger) => [...ledger.perhaps]));
  for (const ledger of ledgers) {
    for (const [id, entry] of ledger.tasks) {
      const title = stored.get(id);
      stored.delete(id);
      const fault = faultOf(entry, entry, title);
      if (fault !== undefined) {
        violations.push(`task ${id} in the table ${fault}: ${entry.history.join(', ')}`);
      }
    }
  }
  for (const [id, title] of stored) {
    if (!perhaps.delete(title)) {
      const told = ledgers.flatMap((ledger) => ledger.told.get(title) ?? []).join(', ');
      violations.push(
        `task ${id}, "${title}", was made twice, or refused, or never asked for: ${told}`,
      );
    }
  }
  assert.deepEqual(violations.slice(0, 10), []);
  await expectTrueTotals(sql);
}

export function sumOf(ledgers: readonly Ledger[]): Counts {
  const sum: Counts = { acknowledged: 0, read: 0, refused: 0, unknown: 0 };
  for (const { counts } of ledgers) {
    for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += counts[name];
  }
  return sum;
}

interface Desk extends Ledger {
  readonly number: number;
  readonly tasks: Map<number, Entry>;
  readonly perhaps: Set<string>;
  readonly told: Map<string, string>;
  readonly violations: string[];
}

function openDesk(number: number): Desk {
  return {
    number,
    tasks: new Map(),
    perhaps: new Set(),
    told: new Map(),
    counts: { acknowledged: 0, read: 0, refused: 0, unknown: 0 },
    violations: [],
  };
}

async function work(
  desk: Desk,
  desks: readonly Desk[],
  options: LedgerClientsOptions,
): Promise<Ledger> {
  const api = createApi(options.port(), 1);
  for (let step = 0; !options.isOver(sumOf(desks)); step++) {
    const certain = [...desk.tasks].filter(
      ([, { uncertain, removal }]) => !uncertain && removal === 'none',
    );
    const chosen = certain[pick(certain.length)];
    const dice = Math.random();
    const other = desks[pick(desks.length)]!;
    let outcome: Outcome;
    if (dice < 0.2) outcome = await readTask(api, other, options);
    else if (dice < 0.4) outcome = await readList(api, other, options);
    else if (chosen === undefined) outcome = await create(api, desk, step, options);
    else if (dice < (certain.length < tasksMax ? 0.65 : 0.4))
      outcome = await create(api, desk, step, options);
    else if (dice < 0.85) outcome = await change(api, desk, chosen, step, options);
    else outcome = await remove(api, desk, chosen, options);
    if (outcome !== 'done') {
      options.onTrouble?.();
      await sleep(refusedPauseMs);
    } else if (options.pauseMs !== undefined) await sleep(options.pauseMs * 2 * Math.random());
  }
  api.close();
  return desk;
}

type Outcome = 'done' | 'refused' | 'unknown';

async function create(
  api: Api,
  desk: Desk,
  step: number,
  options: LedgerClientsOptions,
): Promise<Outcome> {
  const title = titleOf(desk, step);
  desk.perhaps.add(title);
  const key = Math.random() < 0.5 ? undefined : randomUUID();
  const answer = await ask(
    () =>
      api.post(
        { title, status: anyStatus(), assigneeID: assigneeOf(desk) },
        key === undefined ? {} : { headers: { 'Idempotency-Key': key } },
      ),
    options,
  );
  const outcome = judgeWrite(desk, answer, 201, `create of "${title}"`);
  if (outcome === 'done') {
    desk.tasks.set(answer!.body.data.id, {
      acknowledged: step,
      open: new Set(),
      removal: 'none',
      etag: answer!.headers.etag!,
      uncertain: false,
      history: [`create ${step} ${describe(answer)}`],
    });
  }
  if (outcome !== 'unknown') desk.perhaps.delete(title);
  desk.told.set(title, `${key === undefined ? '' : 'keyed, '}${describe(answer)} ${answer?.text}`);
  return outcome;
}

async function change(
  api: Api,
  desk: Desk,
  [id, entry]: readonly [number, Entry],
  step: number,
  options: LedgerClientsOptions,
): Promise<Outcome> {
  entry.open.add(step);
  const answer = await ask(
    () =>
      api.request(Math.random() < 0.5 ? 'PUT' : 'PATCH', `/api/tasks/${id}`, {
        body: { title: titleOf(desk, step), status: anyStatus() },
        headers: perhapsIfMatch(entry),
      }),
    options,
  );
  const outcome = judgeWrite(desk, answer, 200, `change of task ${id}`);
  entry.history.push(`change ${step} ${describe(answer)}`);
  if (outcome === 'done') {
    entry.acknowledged = step;
    entry.etag = answer!.headers.etag!;
  }
  if (outcome === 'unknown') entry.uncertain = true;
  else entry.open.delete(step);
  return outcome;
}

async function remove(
  api: Api,
  desk: Desk,
  [id, entry]: readonly [number, Entry],
  options: LedgerClientsOptions,
): Promise<Outcome> {
  entry.removal = 'open';
  const answer = await ask(
    () => api.request('DELETE', `/api/tasks/${id}`, { headers: perhapsIfMatch(entry) }),
    options,
  );
  const outcome = judgeWrite(desk, answer, 204, `removal of task ${id}`);
  entry.history.push(`removal ${describe(answer)}`);
  if (outcome === 'done') entry.removal = 'acknowledged';
  if (outcome === 'refused') entry.removal = 'none';
  if (outcome === 'unknown') entry.uncertain = true;
  return outcome;
}

async function readTask(
  api: Api,
  { tasks, number, violations, counts }: Desk,
  options: LedgerClientsOptions,
): Promise<Outcome> {
  const [id, entry] = [...tasks][pick(tasks.size)] ?? [];
  if (id === undefined || entry === undefined) return 'done';
  const before = { ...entry };
  const answer = await ask(() => api.get(`/api/tasks/${id}`), options);
  const outcome = judgeRead(answer, [200, 404], violations);
  if (outcome !== 'done') return outcome;
  counts.read++;
  const fault = faultOf(
    before,
    entry,
    answer!.status === 404 ? undefined : answer!.body.data.title,
  );
  if (fault !== undefined) violations.push(`task ${id} of client ${number}, read, ${fault}`);
  return outcome;
}

async function readList(api: Api, desk: Desk, options: LedgerClientsOptions): Promise<Outcome> {
  const { violations, number } = desk;
  const before = new Map([...desk.tasks].map(([id, entry]) => [id, { ...entry }]));
  const asked = new Set(desk.perhaps);
  const ways = [
    `assignee_id=${assigneeOf(desk)}`,
    `assignee_id=${assigneeOf(desk)}&sort=-title`,
    `filter=${encodeURIComponent(`title:"${titlePrefix(desk)}"`)}`,
  ];
  const path = `/api/tasks?${ways[pick(ways.length)]}&per_page=${pageSize}`;
  const answer = await ask(() => api.get(path), options);
  const outcome = judgeRead(answer, [200], violations);
  if (outcome !== 'done' || answer!.body.meta.total > pageSize) return outcome;
  desk.counts.read++;
  const listed = new Map(answer!.body.data.map(({ id, title }) => [id, title]));
  if (answer!.body.meta.total !== answer!.body.data.length) {
    violations.push(`a list of client ${number} has a wrong total`);
  }
  for (const [id, entry] of before) {
    const fault = faultOf(entry, desk.tasks.get(id)!, listed.get(id));
    if (fault !== undefined) {
      const history = entry.history.join(', ');
      violations.push(`task ${id} of client ${number}, listed, ${fault}: ${history}`);
    }
    listed.delete(id);
  }
  for (const [id, title] of listed) {
    const isAsked = asked.has(title) || desk.perhaps.has(title) || desk.tasks.has(id);
    if (!isAsked) violations.push(`a list has "${title}", which was refused or never asked for`);
  }
  return outcome;
}

/**
 * @param before what was known when the request began.
 * @param now what is known since its response.
 * @param title `undefined`: the task does not exist.
 * @returns why the title is wrong.
 */
function faultOf(before: Entry, now: Entry, title: string | undefined): string | undefined {
  if (title === undefined) {
    return now.removal === 'none'
      ? `is gone; write ${before.acknowledged} was acknowledged`
      : undefined;
  }
  if (before.removal === 'acknowledged') return 'is back after its removal';
  const step = Number(title.slice(title.lastIndexOf(' ')));
  if (step === before.acknowledged || now.open.has(step)) return undefined;
  if (step > before.acknowledged && step <= now.acknowledged) return undefined;
  return `shows write ${step}; write ${before.acknowledged} was acknowledged before`;
}

function describe(answer: Answer | undefined): string {
  if (answer === undefined) return 'broke';
  const code = answer.status < 400 ? '' : ` ${answer.body.errors[0]?.code}`;
  return `${answer.status}${code} at ${performance.now().toFixed(0)}`;
}

/** `undefined`: the connection broke. */
async function ask(
  request: () => Promise<Answer>,
  { mayBreak = false }: LedgerClientsOptions,
): Promise<Answer | undefined> {
  try {
    return await request();
  } catch (error) {
    if (!mayBreak || error instanceof assert.AssertionError) throw error;
    return undefined;
  }
}

function judgeWrite(
  { counts, violations }: Desk,
  answer: Answer | undefined,
  wanted: number,
  what: string,
): Outcome {
  if (answer?.status === wanted) {
    counts.acknowledged++;
    return 'done';
  }
  if (answer?.status === 503 && answer.body.errors[0]?.code !== 'outcome_unknown') {
    counts.refused++;
    return 'refused';
  }
  if (answer !== undefined && answer.status !== 503) {
    violations.push(`the ${what} was answered ${answer.status} ${answer.text}`);
  }
  counts.unknown++;
  return 'unknown';
}

function judgeRead(
  answer: Answer | undefined,
  wanted: readonly number[],
  violations: string[],
): Outcome {
  if (answer !== undefined && wanted.includes(answer.status)) return 'done';
  if (answer !== undefined && answer.status !== 503) {
    violations.push(`a read was answered ${answer.status} ${answer.text}`);
  }
  const code = answer?.body.errors[0]?.code;
  if (code === 'outcome_unknown') violations.push('a read was answered outcome_unknown');
  return 'refused';
}

async function expectTrueTotals(sql: Client): Promise<void> {
  // One statement, so one snapshot: a write with an unknown outcome may commit meanwhile.
  const [totals] = await sql<{ kept: object; counted: object }[]>`
    SELECT to_json(kept) AS kept, to_json(counted) AS counted
    FROM (SELECT total, pending, in_progress, completed, done, canceled FROM tasks_state) AS kept,
      (SELECT count(*) AS total,
        count(*) FILTER (WHERE status = 'pending') AS pending,
        count(*) FILTER (WHERE status = 'in_progress') AS in_progress,
        count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'done') AS done,
        count(*) FILTER (WHERE status = 'canceled') AS canceled
      FROM tasks) AS counted`;
  assert.deepEqual(totals!.kept, totals!.counted);
}

function titleOf(desk: Desk, step: number): string {
  return `${titlePrefix(desk)}${step}`;
}

function titlePrefix({ number }: Desk): string {
  return `client ${number} step `;
}

/** Only this client writes the task, so the condition holds. */
function perhapsIfMatch({ etag }: Entry): Readonly<Record<string, string>> {
  return Math.random() < 0.5 ? {} : { 'If-Match': etag };
}

function assigneeOf({ number }: Desk): number {
  return 1000 + number;
}

function anyStatus(): string {
  return statuses[pick(statuses.length)]!;
}

function pick(bound: number): number {
  return Math.floor(Math.random() * bound);
}

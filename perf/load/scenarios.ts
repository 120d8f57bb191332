/** What a client asks for. Requests are made once, before the load begins. */
import { vocabulary } from '../seed/words.ts';
import { createRandom, type Random } from './random.ts';

export interface Scenario {
  /** The status that every answer must have. */
  readonly status: number;
  /** Whole requests, head and body, sent in this order and then again from the first. */
  readonly requests: readonly Buffer[];
  /** What the body of the answer to the request at the same place contains. */
  readonly expected: readonly Buffer[];
}

export const scenarioNames = ['get', 'post', 'put', 'list', 'search', 'mixed'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** The tasks that perf/support/seed.ts makes. */
export const seededTasks = 1_000_000;

/** Enough that a run repeats few of them; a memory of single tasks must not look better than it is. */
const readsPrepared = 1 << 18;
const writesPrepared = 1 << 13;
const listsPrepared = 1 << 12;

export function createScenario(name: ScenarioName, host: string, seed: number): Scenario {
  const random = createRandom(seed);
  switch (name) {
    case 'get':
      return fromExchanges(200, readsPrepared, () => getTask(host, random));
    case 'post':
      return fromExchanges(201, writesPrepared, () => postTask(host, random));
    case 'put':
      return fromExchanges(200, writesPrepared, () => putTask(host, random));
    case 'list':
      return fromExchanges(200, listsPrepared, () => listTasks(host, random));
    case 'mixed':
      return fromExchanges(200, readsPrepared, () => anything(host, random));
    case 'search':
      return fromExchanges(200, writesPrepared, () => searchTasks(host, random));
  }
}

interface Exchange {
  readonly request: string;
  readonly expected: string;
}

function fromExchanges(status: number, count: number, create: () => Exchange): Scenario {
  const exchanges = Array.from({ length: count }, create);
  return {
    status,
    requests: slices(exchanges.map((exchange) => exchange.request)),
    expected: slices(exchanges.map((exchange) => exchange.expected)),
  };
}

function getTask(host: string, random: Random): Exchange {
  const id = random.integer(1, seededTasks);
  return {
    request: `GET /api/tasks/${id} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`,
    expected: `"id":${id},`,
  };
}

function postTask(host: string, random: Random): Exchange {
  const task = draft(random);
  return {
    request: withBody('POST /api/tasks', host, task),
    expected: `"title":${JSON.stringify(task.title)},`,
  };
}

function putTask(host: string, random: Random): Exchange {
  const id = random.integer(1, seededTasks);
  return {
    request: withBody(`PUT /api/tasks/${id}`, host, draft(random)),
    expected: `"id":${id},`,
  };
}

/** Pages near the beginning, of all tasks or of one status. */
function listTasks(host: string, random: Random): Exchange {
  const status = random.pick(['', '&status=pending', '&status=in_progress']);
  const page = random.integer(1, 20);
  return {
    request: `GET /api/tasks?page=${page}${status} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`,
    expected: `"meta":{"page":${page},"per_page":20,`,
  };
}

/** Seven reads and two lists to one change, which makes every list that is kept too old. */
function anything(host: string, random: Random): Exchange {
  const dice = random.integer(1, 10);
  if (dice === 1) return putTask(host, random);
  return dice <= 3 ? listTasks(host, random) : getTask(host, random);
}

/** A word of titles: what a search of a million tasks costs goes from one to tens of milliseconds. */
function searchTasks(host: string, random: Random): Exchange {
  const word = random.pick(vocabulary);
  const assignee = random.integer(0, 1000);
  const target = `/api/tasks?filter=title:${word}&assignee_id=${assignee}`;
  return {
    request: `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`,
    expected: '"data":[',
  };
}

function withBody(start: string, host: string, value: object): string {
  const body = JSON.stringify(value);
  return [
    `${start} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: application/json',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const verbs = ['Prepare', 'Review', 'Send', 'Update', 'Check', 'Plan', 'Close', 'Discuss'];
const things = ['quarterly report', 'invoice', 'contract', 'release notes', 'budget', 'onboarding'];
const places = ['Berlin', 'São Paulo', 'Kraków', 'Toronto', 'Nairobi', 'Osaka'];
const sentences = [
  'The figures of last month are in the shared folder.',
  'Ask the customer first whether the date still holds.',
  'Two of the five points are open, see the notes of the last meeting.',
  'It must be signed by both sides before the end of the week.',
];
const statuses = ['pending', 'pending', 'pending', 'in_progress', 'completed'];

interface Draft {
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly assigneeID: number;
}

function draft(random: Random): Draft {
  return {
    title: `${random.pick(verbs)} the ${random.pick(things)} for ${random.pick(places)} ${random.integer(1, 9999)}`,
    description: Array.from({ length: random.integer(2, 3) }, () => random.pick(sentences)).join(
      ' ',
    ),
    status: random.pick(statuses),
    assigneeID: random.integer(0, 1000),
  };
}

/** One block of memory for all of them: 260 000 small buffers would keep the collector busy. */
function slices(texts: readonly string[]): Buffer[] {
  const block = Buffer.from(texts.join(''));
  let start = 0;
  return texts.map((text) => {
    const end = start + Buffer.byteLength(text);
    const slice = block.subarray(start, end);
    start = end;
    return slice;
  });
}

/** What a client asks for. Requests are made once, before the load begins. */

import { createRandom, type Random } from '../seed/random.ts';
import { vocabulary } from '../seed/words.ts';
import { seededTasks } from '../support/tasks.ts';

export interface Scenario {
  /** The expected status of every response. */
  readonly status: number;
  /** Complete requests with head and body, sent in this order and then repeated. */
  readonly requests: readonly Buffer[];
  /** A part of the expected body for each request. */
  readonly expected: readonly Buffer[];
  /** No request may be sent twice: a task can be deleted once. */
  readonly once: boolean;
}

export const scenarioNames = [
  'get',
  'zipf',
  'post',
  'put',
  'delete',
  'list',
  'list-uncached',
  'mixed',
  'search',
  'any',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** Enough that a run repeats few of them; a memory of single tasks must not look better than it is. */
const readsPrepared = 1 << 18;
const writesPrepared = 1 << 13;
const changesPrepared = 1 << 16;
const perPage = 20;
const listPath = `/api/tasks?page=1&per_page=${perPage}`;
/** Primes that do not divide the sizes they are used with. */
const deleteStride = 7919;
const zipfStride = 613_651;

/** The tasks above the seeded ones for `delete`, and how many are deleted already. */
export interface Doomed {
  readonly count: number;
  readonly gone: number;
}

/** The tasks to request. */
export interface Stock {
  /** The number of all tasks. */
  readonly total: number;
  /** The number of known ids. */
  readonly known: number;
  /** @param place from 1 to `known`. */
  idAt(place: number): number;
}

const seeded: Stock = { total: seededTasks, known: seededTasks, idAt: (place) => place };

/**
 * @param doomed only for `delete`.
 * @param stock default: the seeded million.
 */
export function createScenario(
  name: ScenarioName,
  host: string,
  seed: number,
  doomed: Doomed = { count: 0, gone: 0 },
  stock = seeded,
): Scenario {
  const random = createRandom(seed);
  switch (name) {
    case 'get':
      return fromExchanges(200, readsPrepared, () => getTask(host, evenId(random, stock)));
    case 'zipf':
      return fromExchanges(200, readsPrepared, () => getTask(host, zipfId(random, stock)));
    case 'post':
      return fromExchanges(201, writesPrepared, () => postTask(host, random));
    case 'put':
      return fromExchanges(200, changesPrepared, () => putTask(host, random, stock));
    case 'delete': {
      let { gone } = doomed;
      const create = () => deleteTask(host, gone++, doomed.count);
      return { ...fromExchanges(204, doomed.count - gone, create), once: true };
    }
    case 'list':
      return fromExchanges(200, 1, () => listTasks(host, listPath));
    case 'list-uncached':
      return fromExchanges(200, changesPrepared, () =>
        listTasks(
          host,
          `/api/tasks?page=${random.integer(1, Math.ceil(stock.total / perPage))}&per_page=${perPage}`,
        ),
      );
    case 'mixed':
      return fromExchanges(200, readsPrepared, () =>
        random.integer(1, 10) === 1
          ? putTask(host, random, stock)
          : getTask(host, evenId(random, stock)),
      );
    case 'any':
      return fromExchanges(200, 1, () => ({ ...listTasks(host, listPath), expected: '' }));
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
    once: false,
    requests: slices(exchanges.map((exchange) => exchange.request)),
    expected: slices(exchanges.map((exchange) => exchange.expected)),
  };
}

function getTask(host: string, id: number): Exchange {
  return { request: withoutBody(`GET /api/tasks/${id}`, host), expected: `"id":${id},` };
}

function listTasks(host: string, target: string): Exchange {
  return { request: withoutBody(`GET ${target}`, host), expected: '"data":[{' };
}

/** With a stride, so that neighbours are not deleted one after the other. */
function deleteTask(host: string, place: number, count: number): Exchange {
  const id = seededTasks + 1 + ((place * deleteStride) % count);
  return { request: withoutBody(`DELETE /api/tasks/${id}`, host), expected: '' };
}

function withoutBody(start: string, host: string): string {
  return `${start} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/json\r\n\r\n`;
}

function evenId(random: Random, { known, idAt }: Stock): number {
  return idAt(random.integer(1, known));
}

/** Zipf's law with exponent 1: the task of rank r is requested 1/r times as often as the first. */
function zipfId(random: Random, { known, idAt }: Stock): number {
  const share = random.integer(0, 2 ** 30) / 2 ** 30;
  const rank = Math.min(known, Math.floor(known ** share));
  // Frequent tasks are scattered over the table, as in practice.
  return idAt(1 + ((rank * zipfStride) % known));
}

function postTask(host: string, random: Random): Exchange {
  const task = draft(random);
  return {
    request: withBody('POST /api/tasks', host, task),
    expected: `"title":${JSON.stringify(task.title)},`,
  };
}

function putTask(host: string, random: Random, stock: Stock): Exchange {
  const id = evenId(random, stock);
  return {
    request: withBody(`PUT /api/tasks/${id}`, host, draft(random)),
    expected: `"id":${id},`,
  };
}

/** A word of titles: a search in a million tasks takes from one to tens of milliseconds. */
function searchTasks(host: string, random: Random): Exchange {
  const word = random.pick(vocabulary);
  const assignee = random.integer(0, 1000);
  const target = `/api/tasks?filter=title:${word}&assignee_id=${assignee}`;
  return { request: withoutBody(`GET ${target}`, host), expected: '"data":[' };
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

/** One buffer for all: 260 000 small ones would slow the garbage collector. */
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

/**
 * A simple load with autocannon on a running service: make load SCENARIO=get. It requests existing
 * tasks, and fails on any unexpected response. Its latencies are whole milliseconds; use make bench
 * for exact figures.
 *
 *   bin/node dist/perf/load/everyday/main.js --scenario mixed --connections 64 --seconds 10
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { createScenario, type ScenarioName, scenarioNames } from '../scenarios.ts';
import { findStock, makeDoomed } from './stock.ts';

interface AutocannonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface AutocannonResult {
  /** Broken connections, including timeouts. */
  readonly errors: number;
  readonly statusCodeStats?: Readonly<Record<string, { readonly count: number }>>;
}

interface AutocannonClient {
  setRequests(requests: readonly AutocannonRequest[]): void;
}

/** The part of autocannon's API used here; the package has no types. */
type Autocannon = ((options: object) => Promise<AutocannonResult>) & {
  printResult(result: object): string;
};

interface Load {
  readonly status: number;
  /** Options of autocannon besides address and connections. */
  readonly options: object;
}

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
/** autocannon keeps a copy of all requests for each connection. */
const requestsMax = 1024;

await main().catch((error: unknown) => {
  process.stderr.write(`make load: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8080' },
      scenario: { type: 'string', default: 'get' },
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '10' },
      // For the scenario delete, which ends when all are deleted.
      deletes: { type: 'string', default: '4096' },
    },
  });
  const name = scenarioNames.find((scenario) => scenario === values.scenario);
  if (name === undefined) throw new Error(`SCENARIO: expected ${scenarioNames.join(', ')}`);
  const url = targetOf(values.url);
  const connections = whole('CONNECTIONS', values.connections);
  const seconds = whole('SECONDS', values.seconds);
  const { status, options } =
    name === 'delete'
      ? await deleting(url, connections, whole('--deletes', values.deletes))
      : await asking(name, url, seconds);
  const result = await autocannon({ url: url.origin, connections, ...options });
  process.stdout.write(`${autocannon.printResult(result)}\n`);
  assertAnswers(result, status);
}

async function asking(name: ScenarioName, url: URL, seconds: number): Promise<Load> {
  const seed = Date.now() % 2 ** 31;
  // Creating tasks needs no existing ones.
  const stock = name === 'post' ? undefined : await findStock(url);
  const { requests, status } = createScenario(name, url.host, seed, undefined, stock);
  const all = requests.slice(0, requestsMax).map(toAutocannon);
  return { status, options: { duration: seconds, requests: all } };
}

/** Deletes tasks created for it, each once; then it ends. */
async function deleting(url: URL, connections: number, count: number): Promise<Load> {
  const perConnection = Math.ceil(count / connections);
  const ids = await makeDoomed(url, perConnection * connections);
  process.stdout.write(`Deleting ${ids.length} tasks that were made for it; SECONDS has no say.\n`);
  let at = 0;
  function setupClient(client: AutocannonClient): void {
    const share = ids.slice(at, at + perConnection);
    at += perConnection;
    const headers = { Accept: 'application/json' };
    client.setRequests(
      share.map((id) => ({ method: 'DELETE', path: `/api/tasks/${id}`, headers })),
    );
  }
  return { status: 204, options: { amount: ids.length, setupClient } };
}

/** @throws an Error with the number of unexpected responses. */
function assertAnswers({ errors, statusCodeStats = {} }: AutocannonResult, status: number): void {
  const others = Object.entries(statusCodeStats).filter(([code]) => Number(code) !== status);
  const wrong = others.map(([code, { count }]) => `${count} × ${code}`);
  if (errors > 0) wrong.push(`${errors} without an answer`);
  if (wrong.length > 0) throw new Error(`not every answer was ${status}: ${wrong.join(', ')}`);
  if (Object.keys(statusCodeStats).length === 0) throw new Error('there was no answer at all');
}

function targetOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' && /^(localhost|127\.[\d.]+)$/.test(url.hostname)) return url;
  throw new Error(`URL: expected http:// and a loopback address, got ${JSON.stringify(text)}`);
}

function whole(name: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new Error(`${name}: expected a whole number from 1, got ${JSON.stringify(text)}`);
}

function toAutocannon(bytes: Buffer): AutocannonRequest {
  const text = bytes.toString();
  const end = text.indexOf('\r\n\r\n');
  const [start, ...lines] = text.slice(0, end).split('\r\n');
  const [method, path] = start!.split(' ') as [string, string];
  const headers = lines.map((line) => line.split(': ') as [string, string]);
  const body = text.slice(end + 4);
  // autocannon writes Host and Content-Length itself.
  const own = headers.filter(([name]) => name !== 'Host' && name !== 'Content-Length');
  return { method, path, headers: Object.fromEntries(own), ...(body === '' ? {} : { body }) };
}

/**
 * A load for everyday use, by autocannon, on a service that runs already: make load SCENARIO=get.
 * Its latencies are whole milliseconds; for figures see make bench.
 *
 *   bin/node dist/perf/load/everyday.js --scenario mixed --connections 64 --seconds 10
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { createScenario, scenarioNames } from './scenarios.ts';

interface AutocannonRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As much of autocannon as is used here; it brings no types. */
type Autocannon = ((options: object) => Promise<object>) & {
  printResult(result: object): string;
};

const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
/** autocannon keeps them all for each connection. */
const requestsMax = 4096;
/** Tasks above the seeded million, if there are any: make db-seed. */
const deletesPrepared = 4096;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    scenario: { type: 'string', default: 'get' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
  },
});
const name = scenarioNames.find((scenario) => scenario === values.scenario);
if (name === undefined) throw new Error(`--scenario: one of ${scenarioNames.join(', ')}`);
const url = new URL(values.url);
if (!/^(localhost|127\.[\d.]+)$/.test(url.hostname)) {
  throw new Error('--url: only a loopback address is ever a target');
}
const doomed = { count: deletesPrepared, gone: 0 };
const { requests, status } = createScenario(name, url.host, Date.now() % 2 ** 31, doomed);

const result = await autocannon({
  url: url.origin,
  connections: Number(values.connections),
  duration: Number(values.seconds),
  requests: requests.slice(0, requestsMax).map(toAutocannon),
});
process.stdout.write(`${autocannon.printResult(result)}\nEvery answer should be ${status}.\n`);

function toAutocannon(bytes: Buffer): AutocannonRequest {
  const text = bytes.toString();
  const end = text.indexOf('\r\n\r\n');
  const [start, ...lines] = text.slice(0, end).split('\r\n');
  const [method, path] = start!.split(' ') as [string, string];
  const headers = lines.map((line) => line.split(': ') as [string, string]);
  const body = text.slice(end + 4);
  // It writes the host and the length itself.
  const own = headers.filter(([name]) => name !== 'Host' && name !== 'Content-Length');
  return { method, path, headers: Object.fromEntries(own), ...(body === '' ? {} : { body }) };
}

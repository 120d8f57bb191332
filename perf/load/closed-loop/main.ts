/**
 * The closed-loop load generator, in a separate process so that its CPU time is known. N
 * connections each send the next request after the response to the last one.
 *
 *   bin/node dist/perf/load/closed-loop/main.js --url http://127.0.0.1:8080 --scenario get
 *     --connections 64 --seconds 5 --warmup 1 --seed 1
 *
 * Prints one JSON object. Exits with 1 after any unexpected response.
 */
import { parseArgs } from 'node:util';
import { type Address, type Connection, openConnection } from '../connection.ts';
import { createHistogram } from '../histogram.ts';
import { createScenario, type Doomed, type ScenarioName, scenarioNames } from '../scenarios.ts';
import type { LoadMessage, LoadResult } from './result.ts';

interface Options {
  readonly address: Address;
  readonly scenario: ScenarioName;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly seed: number;
  readonly doomed: Doomed;
}

/** How long to wait for responses after the last second. */
const drainMaxMs = 10_000;
/** Every so many responses of a connection, one body is compared with the expected one. */
const checkEvery = 16;
const failuresKept = 5;

const result = await generateLoad(readOptions());
tell({ type: 'result', result });
if (process.send === undefined) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exitCode = result.failures.length === 0 ? 0 : 1;
process.disconnect?.();

async function generateLoad(options: Options): Promise<LoadResult> {
  const { address } = options;
  const scenario = createScenario(
    options.scenario,
    `${address.host}:${address.port}`,
    options.seed,
    options.doomed,
  );
  const histogram = createHistogram();
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  const flights = new Map<Connection, Flight>();
  let failureCount = 0;
  let place = 0;
  let measuring = false;
  let stopping = false;
  let inFlight = 0;
  let drained: (() => void) | undefined;

  for (let number = 0; number < options.connections; number++) {
    const connection = await openConnection(address, { onAnswer, onFailure: fatal });
    flights.set(connection, { place: 0, sent: 0, startedAt: 0 });
  }
  for (const connection of flights.keys()) sendNext(connection, performance.now());

  await sleep(options.warmupSeconds * 1000);
  tell({ type: 'measuring' });
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  measuring = true;
  await sleep(options.seconds * 1000);
  measuring = false;
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  tell({ type: 'measured' });

  await drain();
  const requests = histogram.count();
  if (requests === 0) fail('no request was answered');
  if (failureCount > failures.length) failures.push(`… ${failureCount} failures in all`);
  return {
    scenario: options.scenario,
    connections: options.connections,
    seconds,
    requests,
    rate: requests / seconds,
    latencyUs: histogram.percentiles(),
    statuses: Object.fromEntries(statuses),
    failures,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };

  function sendNext(connection: Connection, now: number): void {
    const flight = flights.get(connection)!;
    flight.place = place;
    place = (place + 1) % scenario.requests.length;
    if (place === 0 && scenario.once) fatal('every request of the scenario is sent');
    flight.startedAt = now;
    inFlight++;
    connection.send(scenario.requests[flight.place]!, ++flight.sent % checkEvery === 0);
  }

  function onAnswer(connection: Connection): void {
    const now = performance.now();
    const flight = flights.get(connection)!;
    const status = connection.status();
    inFlight--;
    if (measuring) {
      histogram.record((now - flight.startedAt) * 1000);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    if (status !== scenario.status) fail(`status ${status} in place of ${scenario.status}`);
    else if (flight.sent % checkEvery === 0) checkBody(connection, flight.place);
    if (!stopping) return sendNext(connection, now);
    connection.close();
    if (inFlight === 0) drained?.();
  }

  function checkBody(connection: Connection, asked: number): void {
    const expected = scenario.expected[asked]!;
    const body = connection.body();
    if (!body.includes(expected)) fail(`expected ${expected} in ${body.subarray(0, 300)}`);
  }

  /** Every request must be answered: otherwise a hanging one would be missed. */
  async function drain(): Promise<void> {
    stopping = true;
    if (inFlight > 0) {
      const timer = setTimeout(() => drained?.(), drainMaxMs);
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
      clearTimeout(timer);
      if (inFlight > 0) fail(`${inFlight} requests had no answer after ${drainMaxMs / 1000} s`);
    }
    // Closes the connections without a response; the others are closed already.
    for (const connection of flights.keys()) connection.close();
  }

  function fail(reason: string): void {
    failureCount++;
    if (failures.length < failuresKept) failures.push(reason);
  }

  /** Ends the run: with fewer connections than requested it would measure something else. */
  function fatal(reason: string): never {
    process.stderr.write(`the load generator gave up: ${reason}\n`);
    process.exit(1);
  }
}

/** The request in flight on a connection. */
interface Flight {
  place: number;
  sent: number;
  startedAt: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:8080' },
      scenario: { type: 'string', default: 'get' },
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string', default: '5' },
      warmup: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1' },
      doomed: { type: 'string', default: '0' },
      gone: { type: 'string', default: '0' },
    },
  });
  const scenario = scenarioNames.find((name) => name === values.scenario);
  if (scenario === undefined) throw new Error(`--scenario: one of ${scenarioNames.join(', ')}`);
  return {
    address: loopbackAddress(values.url),
    scenario,
    connections: positive('connections', values.connections),
    seconds: positive('seconds', values.seconds),
    warmupSeconds: positive('warmup', values.warmup),
    seed: positive('seed', values.seed),
    doomed: { count: Number(values.doomed), gone: Number(values.gone) },
  };
}

/** Load is only sent to the local machine. */
function loopbackAddress(text: string): Address {
  const url = new URL(text);
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname;
  if (url.protocol !== 'http:' || !host.startsWith('127.')) {
    throw new Error('--url: only http and only a loopback address is ever a target');
  }
  return { host, port: Number(url.port || 80) };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name}: expected a number above 0`);
  return value;
}

function tell(message: LoadMessage): void {
  process.send?.(message);
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

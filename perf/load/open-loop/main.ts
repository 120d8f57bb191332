/**
 * The open-loop load generator. Requests are due at a fixed rate, whatever happens to earlier ones,
 * and latency counts from that time. A request due while every connection is busy is not sent; the
 * result reports how many.
 *
 *   bin/node dist/perf/load/open-loop/main.js --url http://127.0.0.1:8080 --scenario post
 *     --connections 8000 --rate 50000 --seconds 5 --warmup 1 --seed 1
 *
 * With `--nap 100` it sleeps up to that many microseconds when no request is due: it shares its
 * core, and adds at most that to a latency. Without it, it needs its own core.
 *
 * Prints one JSON object.
 */
import { parseArgs } from 'node:util';
import { type Connection, openConnection } from '../connection.ts';
import { createHistogram, type Histogram } from '../histogram.ts';
import { createScenario, type ScenarioName } from '../scenarios.ts';
import type { OpenLoopResult } from './result.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    scenario: { type: 'string' },
    connections: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
    warmup: { type: 'string' },
    seed: { type: 'string' },
    doomed: { type: 'string', default: '0' },
    gone: { type: 'string', default: '0' },
    nap: { type: 'string', default: '0' },
  },
});
const result = await generate();
process.send?.(result);
if (process.send === undefined) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);

async function generate(): Promise<OpenLoopResult> {
  const url = new URL(values.url!);
  const rate = Number(values.rate);
  const seconds = Number(values.seconds);
  const warmupSeconds = Number(values.warmup);
  const scenario = createScenario(values.scenario as ScenarioName, url.host, Number(values.seed), {
    count: Number(values.doomed),
    gone: Number(values.gone),
  });
  const napMaxMs = Number(values.nap) / 1000;
  const bed = new Int32Array(new SharedArrayBuffer(4));
  const idle: Connection[] = [];
  const dueAt = new Map<Connection, number>();
  const good = createHistogram();
  const refused = createHistogram();
  const others: Record<string, number> = {};
  let measuring = false;
  let due = 0;
  let sent = 0;

  const address = { host: url.hostname, port: Number(url.port) };
  await openAll(Number(values.connections));
  const began = performance.now();
  let measureFrom = Number.POSITIVE_INFINITY;
  let cpuBefore = process.cpuUsage();
  let dueBefore = 0;
  let sentBefore = 0;

  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const now = performance.now();
      if (!measuring && now - began >= warmupSeconds * 1000) {
        measuring = true;
        measureFrom = now;
        cpuBefore = process.cpuUsage();
        dueBefore = due;
        sentBefore = sent;
      }
      if (now - measureFrom >= seconds * 1000) return resolve();
      sendWhatIsDue(now);
      nap(now);
      setImmediate(tick);
    };
    tick();
  });
  measuring = false;
  const spent = (performance.now() - measureFrom) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  return {
    seconds: spent,
    dueRate: (due - dueBefore) / spent,
    sentRate: (sent - sentBefore) / spent,
    goodRate: good.count() / spent,
    refusedRate: refused.count() / spent,
    otherStatuses: others,
    goodUs: good.percentiles(),
    refusedUs: refused.percentiles(),
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };

  function sendWhatIsDue(now: number): void {
    const dueNow = Math.floor(((now - began) / 1000) * rate);
    while (due < dueNow) {
      due++;
      const connection = idle.pop();
      // No connection is free: requests due until now are counted as not sent.
      if (connection === undefined) {
        due = dueNow;
        return;
      }
      sent++;
      dueAt.set(connection, began + (due / rate) * 1000);
      connection.send(scenario.requests[sent % scenario.requests.length]!, false);
    }
  }

  /** Timers have millisecond resolution; a futex wait with a timeout has microseconds. */
  function nap(now: number): void {
    const untilDue = began + ((due + 1) / rate) * 1000 - now;
    const milliseconds = Math.min(napMaxMs, untilDue);
    if (milliseconds > 0) Atomics.wait(bed, 0, 0, milliseconds);
  }

  function onAnswer(connection: Connection): void {
    if (measuring) record(connection.status(), performance.now() - dueAt.get(connection)!);
    idle.push(connection);
  }

  function record(status: number, milliseconds: number): void {
    const histogram: Histogram | undefined =
      status === scenario.status ? good : status === 503 ? refused : undefined;
    if (histogram === undefined) others[status] = (others[status] ?? 0) + 1;
    else histogram.record(milliseconds * 1000);
  }

  async function openAll(count: number): Promise<void> {
    while (idle.length < count) {
      const some = Math.min(100, count - idle.length);
      const opened = await Promise.all(
        Array.from({ length: some }, () =>
          openConnection(address, {
            onAnswer,
            onFailure(reason) {
              others[reason] = (others[reason] ?? 0) + 1;
            },
          }),
        ),
      );
      idle.push(...opened);
    }
  }
}

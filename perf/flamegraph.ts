/**
 * A flame graph of the whole service under a load, drawn by 0x: front ends and workers side by side.
 *
 *   make flamegraph LOAD=get
 *   bin/node dist/perf/flamegraph.js --load get --seconds 10 --connections 64 --offload 32
 *
 * Uses the database of perf/support/database.ts. Writes flamegraphs/<date>-<load>.html and says what
 * is widest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPprofPages } from '../src/telemetry/pprof/pages.ts';
import { drawFlamegraph } from './support/draw.ts';
import { readFlamegraphOptions, wakeSeconds } from './support/flamegraph-options.ts';
import { today } from './support/machine.ts';
import { putLoadOn, startProfiledService } from './support/profiled-service.ts';
import { runSession } from './support/session.ts';
import { describeWidest } from './support/widest.ts';

const options = readFlamegraphOptions();

await runSession(options.dataDir, async (database) => {
  const { fleet, port } = await startProfiledService(database, { ...options, flags: [] });
  const pages = createPprofPages({ fleet });
  try {
    const over = putLoadOn(port, {
      scenario: options.load,
      connections: options.connections,
      // A profile takes a moment to begin and to end.
      seconds: wakeSeconds + options.seconds + 1,
    });
    await sleep(wakeSeconds * 1000);
    const profile = await collect(pages);
    await over;
    const html = drawFlamegraph(profile, options, `${today()}-${options.load}`);
    process.stdout.write(`${describeWidest(profile)}\n\n${html}\n`);
  } finally {
    pages.close();
    await fleet.stop();
  }
});

async function collect({ page }: ReturnType<typeof createPprofPages>): Promise<string> {
  const query = new URLSearchParams({ seconds: String(options.seconds), format: 'cpuprofile' });
  const request = { path: '/profile', query, accept: '*/*' };
  const { status, body } = await page(request, new AbortController().signal);
  if (status !== 200) throw new Error(String(body));
  return String(body);
}

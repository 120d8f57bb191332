/**
 * A flame graph of the whole service under load, drawn by 0x: front ends and workers side by side.
 *
 *   make flamegraph LOAD=get
 *   bin/node dist/perf/flamegraph.js --load get --seconds 10 --connections 64 --offload 32
 *
 * Uses the database of perf/support/database.ts. Writes flamegraphs/<date>-<load>.html and prints
 * the widest functions.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawFlamegraph } from './support/draw.ts';
import { readFlamegraphOptions, wakeSeconds } from './support/flamegraph-options.ts';
import { today } from './support/machine.ts';
import { putLoadOn, startProfiledService } from './support/profiled-service.ts';
import { runSession } from './support/session.ts';
import { describeWidest } from './support/widest.ts';

const options = readFlamegraphOptions(process.argv.slice(2));
const { load: scenario, connections, seconds } = options;

await runSession(options.dataDir, async (database) => {
  const dataDir = resolve(options.dataDir);
  const service = await startProfiledService(database, { ...options, dataDir, flags: [] });
  const over = putLoadOn(service, {
    scenario,
    connections,
    // Starting and stopping a profile takes a moment.
    seconds: wakeSeconds + seconds + 1,
  });
  await sleep(wakeSeconds * 1000);
  const profile = await service.profile(`profile?seconds=${seconds}&format=cpuprofile`);
  await over;
  await service.stop();
  const html = drawFlamegraph(profile, options, `${today()}-${scenario}`);
  process.stdout.write(`${describeWidest(profile)}\n\n${html}\n`);
});

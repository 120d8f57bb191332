/** The options of the programs that draw flame graphs. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ScenarioName, scenarioNames } from '../load/scenarios.ts';
import { rootDir } from '../support/paths.ts';

export interface FlamegraphOptions {
  readonly load: ScenarioName;
  readonly seconds: number;
  readonly connections: number;
  readonly frontEnds: number;
  readonly offloadMinBatch: number;
  readonly dataDir: string;
  /** The folder of the graph, and its name without `.html`. */
  readonly folder: string;
  readonly name: string | undefined;
  /** The title of the graph. */
  readonly title: string;
}

/** Without `delete`: a task can be deleted once, so the load would run out of tasks. */
const loads = scenarioNames.filter((name) => name !== 'delete');

/** V8 compiles the hot code before the profile starts. */
export const wakeSeconds = 3;

/** @throws an Error with what was expected. */
export function readFlamegraphOptions(args: readonly string[]): FlamegraphOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      load: { type: 'string', default: 'get' },
      seconds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '64' },
      frontends: { type: 'string', default: '1' },
      // So that both front end and worker have work, whatever the machine's default is.
      offload: { type: 'string', default: '32' },
      data: { type: 'string', default: '.data/perf' },
      folder: { type: 'string', default: join(rootDir, 'flamegraphs') },
      name: { type: 'string' },
    },
  });
  const load = loads.find((name) => name === values.load);
  if (load === undefined) throw new Error(`LOAD: expected ${loads.join(', ')}`);
  return {
    load,
    seconds: whole('seconds', values.seconds, 1),
    connections: whole('connections', values.connections, 1),
    frontEnds: whole('frontends', values.frontends, 1),
    offloadMinBatch: whole('offload', values.offload, 0),
    dataDir: values.data,
    folder: values.folder,
    name: values.name,
    title: `${load}, ${values.connections} connections, ${values.seconds} s, OFFLOAD_MIN_BATCH=${values.offload}`,
  };
}

function whole(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min) return value;
  throw new Error(`--${name}: expected a whole number of at least ${min}`);
}

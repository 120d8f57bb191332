/** The page of the metrics: what the front ends have written, and what only the primary knows. */
import type { AdminPage } from '../../admin/admin-page.ts';
import { ownVersion } from '../../base/own-version.ts';
import type { WorkState } from '../background.ts';
import { createFrontEndLayout } from './front-end-layout.ts';
import { createLayoutBuilder } from './layout.ts';
import { addProcess, createResourceRecorder } from './process-layout.ts';
import { render, type Snapshot } from './render.ts';
import { type ProcessNumbers, takeSnapshots } from './snapshots.ts';
import { metricFile, readNumbers } from './store.ts';
import { createThreadFamilies } from './thread-layout.ts';
import { recordThread } from './thread-recorder.ts';
import { threadRegionCount } from './thread-regions.ts';

export interface PrimaryMetricsOptions {
  /** The folder of the front ends' files: see store.ts. */
  readonly folder: string;
  readonly frontEnds: number;
  readonly workerThreads: number;
  /** How often the front end with this number was replaced. */
  readonly restarts: (number: number) => number;
  /** The native server with its version; empty until a front end listens. */
  readonly httpServer: () => string;
  /** Rejects after a bounded time when the database does not answer. */
  readonly countTasks: () => Promise<TaskNumbers>;
  readonly backgroundWorks: () => readonly WorkState[];
  /** `undefined`: the tables have not been checked. */
  readonly definition: () => DefinitionState | undefined;
}

interface TaskNumbers {
  readonly byStatus: Readonly<Record<string, number>>;
  readonly unindexed: number;
  readonly unindexedSeconds: number;
}

interface DefinitionState {
  readonly isIntact: boolean;
  readonly repairs: number;
}

export interface PrimaryMetrics {
  readonly page: AdminPage;
  close(): void;
}

/** A front end writes ten times a second. After this long without a write it hangs. */
const staleAfterMs = 2000;

export function createPrimaryMetrics(options: PrimaryMetricsOptions): PrimaryMetrics {
  const frontEndLayout = createFrontEndLayout(threadRegionCount(options.workerThreads));
  const layout = createLayoutBuilder();
  const processSlots = addProcess(layout);
  const thread = createThreadFamilies(layout)('main');
  const numbers = new Float64Array(layout.size());
  const recordProcess = createResourceRecorder(processSlots, numbers);
  const recorder = recordThread(numbers.subarray(thread));
  const build = buildInfo();

  /** The last values of each front end: no counter decreases when a file cannot be opened. */
  const lastRead = new Map<number, Float64Array>();

  function readFrontEnd(number: number): ProcessNumbers & { readonly name: string } {
    const file = metricFile(options.folder, number);
    const read = readNumbers(file, frontEndLayout.size) ?? lastRead.get(number);
    if (read !== undefined) lastRead.set(number, read);
    const heartbeat = read?.[frontEndLayout.heartbeat] ?? 0;
    return {
      name: `frontend-${number}`,
      families: frontEndLayout.families,
      numbers: read ?? new Float64Array(frontEndLayout.size),
      isLive: Date.now() - heartbeat < staleAfterMs,
    };
  }

  async function collect(): Promise<Snapshot[]> {
    const tasks = await options.countTasks().catch(() => undefined);
    recordProcess();
    const frontEnds = Array.from({ length: options.frontEnds }, (_, place) =>
      readFrontEnd(place + 1),
    );
    const primary = { name: 'primary', families: layout.families(), numbers, isLive: true };
    return [
      ...tasksCount(tasks),
      ...backgroundWorks(options.backgroundWorks()),
      ...definition(options.definition()),
      gauge('database_up', 'Whether the database answers the primary.', [
        { labels: {}, value: tasks === undefined ? 0 : 1 },
      ]),
      gauge(
        'front_end_up',
        'Whether a front end lives and does not hang: 0 is what is missing in gauges.',
        frontEnds.map(({ name, isLive }) => ({
          labels: { process: name },
          value: Number(isLive),
        })),
      ),
      {
        name: 'front_end_restarts_total',
        help: 'Front ends that were replaced because they died.',
        type: 'counter',
        samples: frontEnds.map(({ name }, place) => ({
          labels: { process: name },
          value: options.restarts(place + 1),
        })),
      },
      gauge('build_info', 'What runs: always 1.', [
        { labels: { ...build, http_server: options.httpServer() }, value: 1 },
      ]),
      ...takeSnapshots([primary, ...frontEnds]),
    ];
  }

  return {
    async page({ accept }) {
      return { status: 200, ...(await render(await collect(), accept)) };
    },
    close: () => recorder.close(),
  };
}

function tasksCount(tasks: TaskNumbers | undefined): Snapshot[] {
  if (tasks === undefined) return [];
  const samples = Object.entries(tasks.byStatus).map(([status, value]) => ({
    labels: { status },
    value,
  }));
  return [
    gauge('tasks_count', 'Tasks by status, as the database counts them.', samples),
    gauge('tasks_unindexed', 'Tasks that the index of texts lacks, up to 100000.', [
      { labels: {}, value: tasks.unindexed },
    ]),
    gauge('tasks_unindexed_age_seconds', 'For how long the first of them has waited.', [
      { labels: {}, value: tasks.unindexedSeconds },
    ]),
  ];
}

function backgroundWorks(works: readonly WorkState[]): Snapshot[] {
  return [
    {
      name: 'background_failures_total',
      help: 'Failures of work behind the requests, but for those of a database that is away.',
      type: 'counter',
      samples: works.map(({ name, failures }) => ({ labels: { work: name }, value: failures })),
    },
    gauge(
      'background_failing',
      'Whether the last attempt of such work failed.',
      works.map(({ name, isFailing }) => ({ labels: { work: name }, value: Number(isFailing) })),
    ),
  ];
}

function definition(state: DefinitionState | undefined): Snapshot[] {
  if (state === undefined) return [];
  return [
    gauge('tables_intact', 'Whether triggers and counts of the tables are as they should be.', [
      { labels: {}, value: Number(state.isIntact) },
    ]),
    {
      name: 'tables_repairs_total',
      help: 'How often all tasks were counted anew because somebody went by the triggers.',
      type: 'counter',
      samples: [{ labels: {}, value: state.repairs }],
    },
  ];
}

function gauge(name: string, help: string, samples: Snapshot['samples']): Snapshot {
  return { name, help, type: 'gauge', samples };
}

function buildInfo(): Readonly<Record<string, string>> {
  const { node, v8 } = process.versions;
  return { version: ownVersion() ?? 'unknown', node, v8 };
}

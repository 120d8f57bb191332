/** Records trace events of Node and V8 for the whole process, from its main thread. */
import type { NodeTracing } from 'node:inspector';
import type { Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { emptyRecording, type ThreadRecording } from './recording.ts';

/** Without promises and async hooks, which have several events per request. */
const categories = [
  'v8',
  'node.bootstrap',
  'node.environment',
  'node.perf',
  'node.fs.sync',
  'node.dns.native',
  'node.net.native',
  'node.threadpoolwork.async',
];
/** Some 15 MB as JSON. */
const eventsMax = 50_000;
const completeMaxMs = 3000;

export async function recordTrace(
  session: Session,
  milliseconds: number,
  signal: AbortSignal,
): Promise<ThreadRecording> {
  const events: object[] = [];
  let dropped = 0;
  const onData = ({ params }: { params: NodeTracing.DataCollectedEventDataType }): void => {
    for (const event of params.value) {
      if (events.length < eventsMax) events.push(event);
      else dropped++;
    }
  };
  const complete = new Promise<void>((resolve) => {
    session.once('NodeTracing.tracingComplete', () => resolve());
  });
  session.on('NodeTracing.dataCollected', onData);
  try {
    await session.post('NodeTracing.start', { traceConfig: { includedCategories: categories } });
    try {
      await sleep(milliseconds, undefined, { signal });
    } finally {
      await session.post('NodeTracing.stop');
      // The last events come from another thread and must not appear in the next trace.
      await Promise.race([complete, sleep(completeMaxMs, undefined, { ref: false })]);
    }
  } finally {
    session.off('NodeTracing.dataCollected', onData);
    session.removeAllListeners('NodeTracing.tracingComplete');
  }
  const notes = dropped === 0 ? [] : [`${dropped} trace events beyond ${eventsMax} were dropped`];
  return { ...emptyRecording, events, notes };
}

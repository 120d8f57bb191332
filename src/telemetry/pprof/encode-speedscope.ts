/**
 * The format of speedscope: speedscope.app/file-format-schema.json, with one profile per thread.
 */
import type { Profile, StackFrame } from './profile.ts';

const schema = 'https://www.speedscope.app/file-format-schema.json';
const units: Readonly<Record<string, string>> = { nanoseconds: 'nanoseconds', bytes: 'bytes' };

interface ThreadProfile {
  readonly type: 'sampled';
  readonly name: string;
  readonly unit: string;
  readonly startValue: 0;
  endValue: number;
  readonly samples: number[][];
  readonly weights: number[];
}

export function encodeSpeedscope(profile: Profile, name: string): string {
  const places = new Map<string, number>();
  const frames: { name: string; file?: string; line?: number }[] = [];
  const threads = new Map<string, ThreadProfile>();
  const unit = units[profile.types.at(-1)!.unit] ?? 'none';

  for (const { stack, values, process, thread } of profile.samples) {
    const own = threadOf(`${process}/${thread}`);
    const weight = Math.round(values.at(-1)!);
    own.samples.push(stack.toReversed().map(placeOf));
    own.weights.push(weight);
    own.endValue += weight;
  }
  return JSON.stringify({
    $schema: schema,
    name,
    exporter: 'task-manager-api',
    activeProfileIndex: 0,
    shared: { frames },
    profiles: [...threads.values()],
  });

  function threadOf(name: string): ThreadProfile {
    const known = threads.get(name);
    if (known !== undefined) return known;
    const thread: ThreadProfile = {
      type: 'sampled',
      name,
      unit,
      startValue: 0,
      endValue: 0,
      samples: [],
      weights: [],
    };
    threads.set(name, thread);
    return thread;
  }

  function placeOf({ name, file, startLine }: StackFrame): number {
    const key = `${name} ${file} ${startLine}`;
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, frames.length);
    return frames.push(file === '' ? { name } : { name, file, line: startLine }) - 1;
  }
}

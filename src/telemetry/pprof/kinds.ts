/** The profiles that the service serves: how each is recorded, and what its values mean. */

import { mergeCpu, mergeSamples, type Recordings } from './merge.ts';
import type { Profile, ValueType } from './profile.ts';
import { heapIntervalBytes } from './record-heap.ts';
import type { ProfileQuestion } from './recording.ts';
import type { Sources } from './sources.ts';

export interface ProfileKind {
  readonly name: string;
  readonly description: string;
  /** The default of `seconds`; `null`: a snapshot, or with `seconds` the change over that time. */
  readonly defaultSeconds: number | null;
  readonly types: readonly ValueType[];
  readonly period: Profile['period'];
  /** What a reader must know to interpret it. */
  readonly comment: string;
  /** `null`: nothing to record; the profile is empty. */
  question(milliseconds: number, query: URLSearchParams): ProfileQuestion | null;
  samples(recordings: Recordings, sources: Sources): Profile['samples'];
}

/** V8's default: a thousand samples a second. */
const cpuIntervalUs = 1000;
const cpuNanoseconds = { type: 'cpu', unit: 'nanoseconds' };
const delayTypes = [
  { type: 'contentions', unit: 'count' },
  { type: 'delay', unit: 'nanoseconds' },
];
const space = { type: 'space', unit: 'bytes', value: heapIntervalBytes };

export const profileKinds: readonly ProfileKind[] = [
  {
    name: 'allocs',
    description:
      'What is allocated in the given seconds (10), also what is collected again. Afterwards the heap profile begins anew.',
    defaultSeconds: 10,
    types: [
      { type: 'alloc_objects', unit: 'count' },
      { type: 'alloc_space', unit: 'bytes' },
    ],
    period: space,
    comment: 'Memory of V8 only, in the window only: Buffers and sockets are outside of it.',
    question: (milliseconds) => ({ kind: 'allocations', milliseconds }),
    samples: mergeSamples,
  },
  {
    name: 'block',
    description:
      'By how much the event loops ran late in the given seconds (5): what came just then had to wait.',
    defaultSeconds: 5,
    types: delayTypes,
    period: { type: 'contentions', unit: 'count', value: 1 },
    comment:
      'JavaScript threads do not block: work waits for the event loop. A timer falls due every 10 ms; the ' +
      'profile counts how often it was late by 2 ms or more, and by how much.',
    question: (milliseconds) => ({ kind: 'delay', milliseconds }),
    samples: mergeSamples,
  },
  {
    name: 'goroutine',
    description:
      'What keeps the event loops going: active handles and requests of each thread, by their type.',
    defaultSeconds: null,
    types: [{ type: 'goroutine', unit: 'count' }],
    period: { type: 'goroutine', unit: 'count', value: 1 },
    comment:
      'Node has no goroutines: these are the active resources of each thread. Sockets of clients ' +
      'belong to uWebSockets.js and are not among them.',
    question: () => ({ kind: 'resources' }),
    samples: (recordings, sources) => mergeSamples(recordings, sources, ([count]) => [count!]),
  },
  {
    name: 'heap',
    description:
      'A sampling of the objects that live. gc=1 collects first what nobody needs any more.',
    defaultSeconds: null,
    types: [
      { type: 'inuse_objects', unit: 'count' },
      { type: 'inuse_space', unit: 'bytes' },
    ],
    period: space,
    comment: 'Memory of V8 only: Buffers and sockets are outside of it.',
    question: (_, query) => ({ kind: 'heap', collect: isSet(query.get('gc')) }),
    samples: mergeSamples,
  },
  {
    name: 'mutex',
    description: 'Empty: no thread of JavaScript ever waits for a lock here.',
    defaultSeconds: null,
    types: delayTypes,
    period: { type: 'contentions', unit: 'count', value: 1 },
    comment:
      'Empty, because there is no counterpart: threads of JavaScript share no objects and hold no ' +
      'locks. See block for the waits that there are.',
    question: () => null,
    samples: () => [],
  },
  {
    name: 'profile',
    description:
      'CPU profile of all processes and threads over the given seconds (30). Then: go tool pprof.',
    defaultSeconds: 30,
    types: [{ type: 'samples', unit: 'count' }, cpuNanoseconds],
    period: { ...cpuNanoseconds, value: cpuIntervalUs * 1000 },
    comment:
      'Sampled on the wall clock without idle time, then brought to the CPU time of each thread ' +
      'where the system tells it. [native] is C++ outside of JavaScript: sockets, the kernel, Node.',
    question: (milliseconds) => ({ kind: 'cpu', milliseconds, intervalUs: cpuIntervalUs }),
    samples: (recordings, sources) => mergeCpu(recordings, sources, cpuIntervalUs * 1000),
  },
  {
    name: 'threadcreate',
    description: 'The threads of the operating system, by their names.',
    defaultSeconds: null,
    types: [{ type: 'threadcreate', unit: 'count' }],
    period: { type: 'threadcreate', unit: 'count', value: 1 },
    comment:
      'Threads that there are now, by their names; nobody knows what created them. Linux only, ' +
      'elsewhere empty.',
    question: () => ({ kind: 'resources' }),
    samples: (recordings, sources) => mergeSamples(recordings, sources, (values) => [values[1]!]),
  },
];

/** As in Go: a number greater than 0. */
export function isSet(value: string | null): boolean {
  return value !== null && Number.parseInt(value, 10) > 0;
}

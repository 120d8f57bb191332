/** What the rounds gave, as it goes into the raw results. */
import type { OpenLoopResult } from '../load/open-loop/result.ts';
import type { Memory } from '../support/memory.ts';
import type { Sample } from '../support/sample.ts';
import type { OperationName } from './operations.ts';

interface Place {
  readonly round: number;
  readonly operation: OperationName;
  /** `ours`, a peer's name, or a limit's. */
  readonly subject: string;
}

/** Each connection sends its next request when it has the answer to the last. */
export interface ClosedSample extends Sample, Place {
  /** pgbench: its clients. */
  readonly connections: number;
  readonly seconds: number;
  /** Of the server, under this load. */
  readonly memory: Memory | null;
}

/** Requests fall due at a fixed rate. */
export interface OpenSample extends OpenLoopResult, Place {
  readonly rate: number;
}

export interface LimitSample {
  readonly round: number;
  readonly limit: string;
  /** What a second has of: `rows`, `tasks`, `requests`. */
  readonly unit: string;
  readonly rate: number;
  readonly p50Us: number | null;
  readonly cpuUs: number | null;
}

/** What could not be measured. */
export interface Missing {
  readonly what: string;
  readonly reason: string;
}

export interface BenchSamples {
  readonly closed: ClosedSample[];
  readonly open: OpenSample[];
  readonly limits: LimitSample[];
  /** From the start of the process to its first answer, on the database with the million tasks. */
  readonly startMs: number[];
}

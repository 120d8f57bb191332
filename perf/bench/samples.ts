/** What the rounds gave, as it goes into the raw results. */
import type { OpenLoopResult } from '../load/open-loop/result.ts';
import type { Memory } from '../support/memory.ts';
import type { Sample } from '../support/sample.ts';
import type { OperationName } from './operations.ts';

interface Place {
  readonly round: number;
  readonly operation: OperationName;
  /** `ours`, or the name of a peer or limit. */
  readonly subject: string;
}

/** A closed loop: each connection sends its next request after the response to the last. */
export interface ClosedSample extends Sample, Place {
  /** For pgbench: clients. */
  readonly connections: number;
  readonly seconds: number;
  /** The memory of the server under this load. */
  readonly memory: Memory | null;
}

/** An open loop: requests are due at a fixed rate. */
export interface OpenSample extends OpenLoopResult, Place {
  readonly rate: number;
}

export interface LimitSample {
  readonly round: number;
  readonly limit: string;
  /** The unit of the rate: `rows`, `tasks`, `requests`. */
  readonly unit: string;
  readonly rate: number;
  readonly p50Us: number | null;
  readonly cpuUs: number | null;
}

/** What could not be measured, and why. */
export interface Missing {
  readonly what: string;
  readonly reason: string;
}

export interface BenchSamples {
  readonly closed: ClosedSample[];
  readonly open: OpenSample[];
  readonly limits: LimitSample[];
  /** From the start of the process to its first response, on the database with a million tasks. */
  readonly startMs: number[];
}

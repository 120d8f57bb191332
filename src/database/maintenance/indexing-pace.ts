/**
 * How much of the database's time the text index may take. During searches, texts are indexed soon.
 * Without searches, batches are larger and pauses longer, so that writers get the cores. Speed
 * only: each search also scans the tasks that are not indexed yet.
 */
export interface Pace {
  /** The most tasks that a search scans unindexed. Above it there is no pause. */
  readonly backlogMax: number;
  /** Pause for each unit of work. */
  readonly restPerWork: number;
  /** How long tasks may gather while writes are rare: a larger batch is cheaper per task. */
  readonly gatherMs: number;
}

/** Costs a search 12 to 40 ms (ADR 13), and at most half of a core. */
export const promptPace: Pace = { backlogMax: 20_000, restPerWork: 1, gatherMs: 200 };
/** Costs the first search 0.17 s, and at most a fifth of a core. */
export const patientPace: Pace = { backlogMax: 100_000, restPerWork: 4, gatherMs: 1000 };
/** For this long after a search, more searches are expected. */
const promptForMs = 60_000;

export interface PaceKeeper {
  /** @param searches the database's count of searches that used the index since it was created. */
  paceAt(searches: number, nowMs: number): Pace;
}

export function createPaceKeeper(): PaceKeeper {
  let known: number | undefined;
  let promptUntilMs = Number.NEGATIVE_INFINITY;

  function paceAt(searches: number, nowMs: number): Pace {
    // A smaller count: the server's statistics were reset.
    if (known !== undefined && searches > known) promptUntilMs = nowMs + promptForMs;
    known = searches;
    return nowMs < promptUntilMs ? promptPace : patientPace;
  }

  return { paceAt };
}

/**
 * @param taken the size of the last batch, at most `batch`.
 * @returns milliseconds until the next batch.
 */
export function restMs(
  { restPerWork, gatherMs }: Pace,
  { taken, batch, workedMs }: { taken: number; batch: number; workedMs: number },
): number {
  const rest = restPerWork * workedMs;
  return taken < batch ? Math.max(gatherMs, rest) : rest;
}

/**
 * How much of the database's time the index of texts may take. It is there for searches: while they are
 * asked, texts are indexed soon; while nobody asks, in larger batches, with long rests, so that writers
 * have the cores. Nothing depends on it but time: what is not indexed yet is looked at by each search.
 */
export interface Pace {
  /** Each search looks at so many tasks at most; where more wait, there is no rest. */
  readonly backlogMax: number;
  /** Rest for each unit of work. */
  readonly restPerWork: number;
  /** How long tasks may gather while writers are few: the more in a batch, the cheaper each. */
  readonly gatherMs: number;
}

/** 12 to 40 ms of a search (ADR 13), and up to half of a core. */
export const promptPace: Pace = { backlogMax: 20_000, restPerWork: 1, gatherMs: 200 };
/** 0.17 s of the first search, and up to a fifth of a core. */
export const patientPace: Pace = { backlogMax: 100_000, restPerWork: 4, gatherMs: 1000 };
/** For so long one search makes others likely. */
const promptForMs = 60_000;

export interface PaceKeeper {
  /** @param searches that the index has answered since it was made, as the database counts them. */
  paceAt(searches: number, nowMs: number): Pace;
}

export function createPaceKeeper(): PaceKeeper {
  let known: number | undefined;
  let promptUntilMs = Number.NEGATIVE_INFINITY;

  function paceAt(searches: number, nowMs: number): Pace {
    // Less: the counts of the server began anew.
    if (known !== undefined && searches > known) promptUntilMs = nowMs + promptForMs;
    known = searches;
    return nowMs < promptUntilMs ? promptPace : patientPace;
  }

  return { paceAt };
}

/**
 * @param taken how many tasks the last batch had, of `batch` at most.
 * @returns for how long to leave the database alone now.
 */
export function restMs(
  { restPerWork, gatherMs }: Pace,
  { taken, batch, workedMs }: { taken: number; batch: number; workedMs: number },
): number {
  const rest = restPerWork * workedMs;
  return taken < batch ? Math.max(gatherMs, rest) : rest;
}

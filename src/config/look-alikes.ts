/** Finds unknown variables with names similar to known ones: probably misspelt, and so ignored. */

/** The prefixes of this service's variables. */
const prefixes = /^(DB|DATABASE|TEST_DB|TEST_DATABASE|REDIS|METRICS|PPROF|CORS|SHUTDOWN)_/;
/** Docker and Kubernetes set these for each linked service, also for one named db or redis. */
const links =
  /_(SERVICE_(HOST|PORT\w*)|PORT_\d+_(TCP|UDP)(_\w+)?|ENV_\w+)$|^(DB|REDIS)_(NAME|PORT)_\w+$/;
/** Common names of other programs for the database server. */
const foreign = /^(PG|POSTGRES|POSTGRESQL)_?(HOST|HOSTADDR|URL|URI)$/;
/** Other text may be anything, even a secret. */
const shown = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

export interface LookAlike {
  readonly name: string;
  /** The known variable with a similar name. */
  readonly meant: string | undefined;
}

/** @param known every name that is read. */
export function findLookAlikes(
  names: readonly string[],
  known: ReadonlySet<string>,
): readonly LookAlike[] {
  return names.flatMap((name) => {
    if (known.has(name) || links.test(name) || !shown.test(name)) return [];
    const upper = name.toUpperCase();
    const meant = closest(upper, known);
    return meant !== undefined || prefixes.test(upper) ? [{ name, meant }] : [];
  });
}

/** For a fault about a missing database. */
export function databaseNames(
  names: readonly string[],
  lookAlikes: readonly LookAlike[],
): readonly string[] {
  const ours = lookAlikes.filter(
    ({ name, meant }) =>
      /^(DB|DATABASE)_/i.test(name) || meant === 'DB_HOST' || meant?.startsWith('DATABASE_URL'),
  );
  return [...ours.map(({ name }) => name), ...names.filter((name) => foreign.test(name))];
}

/** For a line of the log. */
export function describeLookAlike({ name, meant }: LookAlike): string {
  return meant === undefined ? name : `${name} (${meant}?)`;
}

function closest(name: string, known: ReadonlySet<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = candidate.length >= 8 ? 2 : candidate.length >= 4 ? 1 : 0;
    if (Math.abs(candidate.length - name.length) > most) continue;
    const distance = editDistance(name, candidate);
    if (distance <= most && distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/**
 * Counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
 */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, place) => place);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, before[j - 2]! + 1);
      }
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}

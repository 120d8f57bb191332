/** Rules for several variables, each of which is valid alone. */
import { resolve } from 'node:path';
import type { Purpose } from './config.ts';
import { defaultOf } from './forms.ts';
import type { Given } from './given.ts';
import { credentialLengthMin, type Variables, variables } from './variables.ts';

/**
 * In production an embedded database must be asked for. Otherwise a misspelled name of the server
 * would start one, and its tasks would be lost with the next deployment.
 */
export function checkEmbedded(
  { ENV, DB_EMBEDDED, DB_HOST }: Variables,
  given: Given,
  purpose: Purpose,
  faults: string[],
  misspelt: readonly string[],
): void {
  // A server whose name has a fault is not missing: that fault is reported.
  const isNamed = ['DB_HOST', 'DATABASE_URL'].some((name) => given.isGiven(name));
  if (DB_EMBEDDED === true && isNamed) {
    const name = given.isGiven('DATABASE_URL') ? 'DATABASE_URL' : 'DB_HOST';
    faults.push(`DB_EMBEDDED: expected false or nothing beside ${name}, got true`);
  }
  if (isNamed || DB_HOST !== '' || DB_EMBEDDED === true || purpose === 'tests') return;
  if (DB_EMBEDDED !== false && ENV !== 'production') return;
  const reason = DB_EMBEDDED === false ? 'DB_EMBEDDED=false' : 'ENV=production';
  const hint = misspelt.length === 0 ? '' : `; set, but not read: ${misspelt.join(', ')}`;
  faults.push(
    `DB_HOST: expected a PostgreSQL server with ${reason}, got none: set DB_HOST or DATABASE_URL, or ` +
      `DB_EMBEDDED=true for an embedded database, which is lost with the folder DATA_DIR${hint}`,
  );
}

/** Worker threads need a working directory too, even if DATA_DIR is elsewhere. */
export function absolute(folder: string, faults: string[]): string {
  try {
    return resolve(process.cwd(), folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    faults.push(
      `the working directory: expected one that is there, got ${code}: change to another`,
    );
    return folder;
  }
}

/** The defaults are public, so they protect nothing. */
export function hasDefaultCredentials(values: Variables): boolean {
  return (['METRICS_USERNAME', 'METRICS_PASSWORD'] as const).every(
    (name) => values[name] === defaultOf(variables.properties[name]),
  );
}

export function checkCredentials(values: Variables, faults: string[]): void {
  for (const name of ['METRICS_USERNAME', 'METRICS_PASSWORD'] as const) {
    if (values[name].length >= credentialLengthMin) continue;
    const cause = values[name] === defaultOf(variables.properties[name]) ? 'the default' : 'less';
    faults.push(
      `${name}: expected at least ${credentialLengthMin} characters with ENV=production, got ${cause}`,
    );
  }
}

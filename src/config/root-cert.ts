/** The root certificate for a verifying sslmode. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readSmallFile } from './small-file.ts';

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** All authorities of a platform together have some 200 KiB. */
const bytesMax = 4 * 1024 * 1024;

/**
 * As in libpq (PostgreSQL manual, "SSL Support"): the verifying modes need a root certificate file,
 * by default `~/.postgresql/root.crt`. `system` trusts the platform's authorities, of which there
 * are so many that only verify-full is safe with them.
 * @param modeName the variable of the mode, for faults.
 */
export function rootCert(
  mode: SslMode,
  modeName: string,
  given: string,
  faults: string[],
): string | null {
  if (mode === 'disable') return null;
  if (given === 'system') {
    if (mode !== 'verify-full') {
      faults.push(`${modeName}: expected verify-full with DB_SSLROOTCERT=system, got "${mode}"`);
    }
    return null;
  }
  const file = given === '' ? join(homedir(), '.postgresql', 'root.crt') : given;
  if (given === '' && mode === 'require' && !existsSync(file)) return null;
  const read = readSmallFile(file, bytesMax);
  if (read.ok) return file;
  const what =
    given === '' ? `~/.postgresql/root.crt is not (${read.reason})` : `got ${read.reason}`;
  faults.push(
    `DB_SSLROOTCERT: expected a readable PEM file of trusted authorities, or system, for ${modeName}=${mode}; ${what}`,
  );
  return null;
}

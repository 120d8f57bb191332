/** Secrets for the service in tests, and the search for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from './service.ts';

/** Part of each secret, so that a fragment is found too. */
export const mark = 'Qz7hush';

/** Contains characters with a meaning in URLs, JSON, shells and regular expressions. */
export function awkwardSecret(name: string): string {
  return `${mark}-${name} "'\\/@:?#%&=+$[ö]`;
}

/** For programs that do not accept special characters. */
export function plainSecret(name: string): string {
  return `${mark}-${name}-word`;
}

/** @returns the secrets in the text, each in the encoding found. */
export function leaksIn(text: string, secrets: readonly string[]): string[] {
  const forms = [mark, ...secrets].flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    // The base64 of the secret without the characters that depend on its neighbours.
    ...['', 'x', 'xx'].map((before) =>
      Buffer.from(before + secret)
        .toString('base64')
        .slice(before.length === 0 ? 0 : before.length + 1, -4),
    ),
  ]);
  const lower = text.toLowerCase();
  return [...new Set(forms)].filter((form) => form !== '' && lower.includes(form.toLowerCase()));
}

/** The command lines of a process and its descendants, as `ps` shows them. */
export function commandLinesOf(pid: number): string {
  return familyOf(pid)
    .flatMap((member) => [
      readText(`/proc/${member}/cmdline`),
      ...threadsOf(member).map((thread) => readText(`/proc/${member}/task/${thread}/comm`)),
    ])
    .join('\n');
}

function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The process may have just ended. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

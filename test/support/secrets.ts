/** Secrets that tests give to a service, and where they are looked for. */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from './service.ts';

/** In each secret, so that a piece of one is found as well. */
export const mark = 'Qz7hush';

/** Characters that URLs, JSON, shells and expressions read as something else. */
export function awkwardSecret(name: string): string {
  return `${mark}-${name} "'\\/@:?#%&=+$[ö]`;
}

/** For what takes no awkward ones. */
export function plainSecret(name: string): string {
  return `${mark}-${name}-word`;
}

/** @returns which of the secrets are in the text, in the form in which they are. */
export function leaksIn(text: string, secrets: readonly string[]): string[] {
  const forms = [mark, ...secrets].flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    // Without what it shares with its neighbours.
    ...['', 'x', 'xx'].map((before) =>
      Buffer.from(before + secret)
        .toString('base64')
        .slice(before.length === 0 ? 0 : before.length + 1, -4),
    ),
  ]);
  const lower = text.toLowerCase();
  return [...new Set(forms)].filter((form) => form !== '' && lower.includes(form.toLowerCase()));
}

/** Programs and arguments of a process and of all that it has started, as `ps` shows them. */
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

/** It may have ended just now. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

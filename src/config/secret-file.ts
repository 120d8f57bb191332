/** Reads a secret from the file named by `<NAME>_FILE`, as Docker and Kubernetes mount them. */
import { readSmallFile } from './small-file.ts';

const bytesMax = 64 * 1024;

export function fileVariable(name: string): string {
  return `${name}_FILE`;
}

/**
 * @param path the variable's value. Faults do not repeat it: it may be the secret by mistake.
 * @returns the text without one newline at its end; `undefined` with a fault.
 */
export function readSecretFile(name: string, path: string, faults: string[]): string | undefined {
  const variable = fileVariable(name);
  const file = readSmallFile(path, bytesMax);
  if (!file.ok) {
    faults.push(`${variable}: expected the path of a readable file, got ${file.reason}`);
    return undefined;
  }
  const secret = decode(file.bytes)?.replace(/\r?\n$/, '');
  if (secret === undefined || secret.includes('\0')) {
    faults.push(`${variable}: expected a file of text in UTF-8, got other bytes`);
    return undefined;
  }
  if (secret === '') {
    faults.push(`${variable}: expected a file with a secret in it, got an empty one`);
    return undefined;
  }
  return secret;
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

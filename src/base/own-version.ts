/** The version of the service, as package.json has it. */
import { readFileSync } from 'node:fs';

/** @returns `undefined` where the file cannot be read: that is no reason not to start. */
export function ownVersion(): string | undefined {
  try {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    );
    return typeof manifest === 'object' && manifest !== null && 'version' in manifest
      ? String(manifest.version)
      : undefined;
  } catch {
    return undefined;
  }
}

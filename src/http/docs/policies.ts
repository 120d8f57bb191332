/** Content-Security-Policy of each kind of page: what is not named here does not load. */
import { createHash } from 'node:crypto';

export { dataPolicy } from '../../base/content-policies.ts';

const ownScripts = "script-src 'self'";
/** Replaced when the service knows where else the API is. */
export const connectOwn = "connect-src 'self'";
/** Of every page that is shown. */
export const commonOfPages =
  "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Swagger UI: its files, and requests to the API. */
export const swaggerPolicy = `default-src 'none'; ${ownScripts}; ${connectOwn}; ${commonOfPages}`;

/** A page with its scripts inside: these scripts and no other, and nothing else from anywhere. */
export function selfContainedPolicy(html: string): string {
  const hashes = [...html.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`,
  );
  return `default-src 'none'; script-src ${hashes.join(' ')}; worker-src blob:; ${commonOfPages}`;
}

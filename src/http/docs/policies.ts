/** Content-Security-Policy of each kind of page: only what is listed may load. */
import { createHash } from 'node:crypto';

export { dataPolicy } from '../../base/content-policies.ts';

const ownScripts = "script-src 'self'";
/** Replaced when the service has further addresses. */
export const connectOwn = "connect-src 'self'";
/** Common to all pages. */
export const commonOfPages =
  "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Swagger UI: its own files, and requests to the API. */
export const swaggerPolicy = `default-src 'none'; ${ownScripts}; ${connectOwn}; ${commonOfPages}`;

/** A page with inline scripts: exactly these scripts may run, and nothing loads. */
export function selfContainedPolicy(html: string): string {
  const hashes = [...html.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`,
  );
  return `default-src 'none'; script-src ${hashes.join(' ')}; worker-src blob:; ${commonOfPages}`;
}

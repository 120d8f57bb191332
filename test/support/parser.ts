/** The parser of the service: tests of its own responses cover both. */
import { isOldBuild } from '../../src/telemetry/old-runtime.ts';
import type { RawAnswer } from './raw-socket.ts';
import type { Service } from './service.ts';

/** @returns true for the build of 2023. */
export function hasOldParser(service: Pick<Service, 'log'>): boolean {
  const listening = service.log.find(({ message }) => message === 'listening');
  return isOldBuild(String(listening?.['httpServer']));
}

/**
 * A response of uWebSockets.js itself, which the service does not see. The description explains it
 * in words.
 */
export function isParsersPage({ status, headers }: Pick<RawAnswer, 'status' | 'headers'>): boolean {
  const isOnly = headers.size === 1 && headers.get('connection') === 'close';
  return isOnly && [400, 431, 505].includes(status);
}

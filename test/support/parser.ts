/** Which parser the service has: tests of what it says by itself know both. */
import type { Service } from './service.ts';

/** @returns true: uWebSockets.js is the build of 2023. */
export function hasOldParser(service: Pick<Service, 'log'>): boolean {
  const listening = service.log.find(({ message }) => message === 'listening');
  return /^uWebSockets\.js 20\.30\./.test(String(listening?.['httpServer']));
}

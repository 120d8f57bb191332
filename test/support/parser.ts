/** Which parser the service has: tests of what it says by itself know both. */
import type { RawAnswer } from './raw-socket.ts';
import type { Service } from './service.ts';

/** @returns true: uWebSockets.js is the build of 2023. */
export function hasOldParser(service: Pick<Service, 'log'>): boolean {
  const listening = service.log.find(({ message }) => message === 'listening');
  return /^uWebSockets\.js 20\.30\./.test(String(listening?.['httpServer']));
}

/** uWebSockets.js answers before our code sees a request, or behind its back. The description says so in words. */
export function isParsersPage({ status, headers }: Pick<RawAnswer, 'status' | 'headers'>): boolean {
  const isOnly = headers.size === 1 && headers.get('connection') === 'close';
  return isOnly && [400, 431, 505].includes(status);
}

/** Logs once that the runtime gets no more security fixes, and how to replace it. */
import type { Logger } from './log.ts';

/** The newest version of Node without maintenance. */
const lastUnmaintainedNode = 20;
/** The current build needs a newer glibc. */
const oldBuild = /^uWebSockets\.js 20\.30\./;

/** @param httpServer the native server with its version. */
export function isOldBuild(httpServer: string): boolean {
  return oldBuild.test(httpServer);
}

export function warnOfOldRuntime(
  httpServer: string,
  log: Logger,
  node: string = process.versions.node,
): void {
  if (isOldBuild(httpServer)) {
    log.warn('Node 20 and this build of uWebSockets.js, of May 2023, get no security fixes', {
      node,
      httpServer,
      remedy:
        'run the service on a system with glibc 2.38 or newer (Debian 13, Ubuntu 24.04, RHEL 10): ' +
        'make then chooses Node 24 and the current build',
    });
  } else if (Number.parseInt(node, 10) <= lastUnmaintainedNode) {
    log.warn('this version of Node gets no security fixes', { node, remedy: 'install Node 24' });
  }
}

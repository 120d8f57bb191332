/** Who may see which page. */
import { type Credentials, createBasicAuth } from './basic-auth.ts';

export interface AccessOptions {
  readonly credentials: Credentials;
  /** Profiles need no credentials on the machine itself: while developing, `go tool pprof` has none. */
  readonly profilesOpenLocally: boolean;
}

/** Who asks, as far as it matters. */
export interface Visitor {
  readonly path: string;
  /** Header values; empty: not there. */
  readonly authorization: string;
  readonly host: string;
  /** The connection comes from this machine, and no proxy says that it speaks for somebody else. */
  readonly isLocal: boolean;
}

export const profilesPath = '/debug/pprof';

/** Another name would be a web page's that has its name point here (DNS rebinding). */
const localHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

export function createAccess(options: AccessOptions): (visitor: Visitor) => boolean {
  const hasCredentials = createBasicAuth(options.credentials);

  return function isAllowed({ path, authorization, host, isLocal }) {
    if (
      options.profilesOpenLocally &&
      isLocal &&
      isProfilePath(path) &&
      localHost.test(host) &&
      authorization === ''
    ) {
      return true;
    }
    return hasCredentials(authorization);
  };
}

export function isProfilePath(path: string): boolean {
  return path === profilesPath || path.startsWith(`${profilesPath}/`);
}

/** @param address of a socket's other end: 127.0.0.0/8, also as an IPv6 address, or ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

/** Who may see which page. */
import { type Credentials, createBasicAuth } from './basic-auth.ts';

export interface AccessOptions {
  readonly credentials: Credentials;
  /**
   * The credentials are the default ones, which everybody knows: profiles are for this machine
   * alone, and need none there, for `go tool pprof` has none.
   */
  readonly profilesOpenLocally: boolean;
}

/** Who asks, as far as it matters. */
export interface Visitor {
  readonly path: string;
  /** Header value; empty: not there. */
  readonly authorization: string;
  /** A program on this machine asks for itself: the peer is loopback, and {@link isDirect}. */
  readonly isHere: boolean;
}

export const profilesPath = '/debug/pprof';

/** Another name would be a web page's that has its name point here (DNS rebinding). */
const localHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
/** Of what speaks for somebody else: a proxy, or a browser for a page. */
const spokenFor = [
  'forwarded',
  'origin',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
] as const;
/** W3C Fetch Metadata: what a user has typed, and links on our own pages. */
const ownFetches = new Set(['', 'none', 'same-origin']);

export function createAccess(options: AccessOptions): (visitor: Visitor) => boolean {
  const hasCredentials = createBasicAuth(options.credentials);

  return function isAllowed({ path, authorization, isHere }) {
    if (!options.profilesOpenLocally || !isProfilePath(path)) return hasCredentials(authorization);
    return isHere && (authorization === '' || hasCredentials(authorization));
  };
}

export function isProfilePath(path: string): boolean {
  return path === profilesPath || path.startsWith(`${profilesPath}/`);
}

/**
 * No proxy and no page of another site stands behind the request, as far as its headers tell. They
 * can only take a right away: whether the peer is this machine, its address says.
 * @param header the value of a header by its lower-case name; empty: not there.
 */
export function isDirect(header: (name: string) => string): boolean {
  return (
    localHost.test(header('host')) &&
    ownFetches.has(header('sec-fetch-site')) &&
    spokenFor.every((name) => header(name) === '')
  );
}

/** Access rules of the administration's pages. */
import { type Credentials, createBasicAuth } from './basic-auth.ts';

export interface AccessOptions {
  readonly credentials: Credentials;
  /**
   * The credentials are the well-known defaults. Then profiles are only for programs on this
   * machine, without credentials, because `go tool pprof` sends none.
   */
  readonly profilesOpenLocally: boolean;
}

/** The facts about a request that decide on access. */
export interface Visitor {
  readonly path: string;
  /** The header's value; empty: absent. */
  readonly authorization: string;
  /** A program on this machine sent it for itself: loopback peer, and {@link isDirect}. */
  readonly isHere: boolean;
}

export const profilesPath = '/debug/pprof';

/** Other host names come from a web page whose name resolves to this machine (DNS rebinding). */
const localHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
/** Headers of a request sent for somebody else: by a proxy, or by a browser for a page. */
const spokenFor = [
  'forwarded',
  'origin',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
] as const;
/** W3C Fetch Metadata: an address typed by the user, and links on the service's own pages. */
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
 * Whether the request came neither through a proxy nor from a page of another site, by its headers.
 * Headers only restrict access; the peer's address decides whether it is this machine.
 * @param header returns a header by its lower-case name; empty: absent.
 */
export function isDirect(header: (name: string) => string): boolean {
  return (
    localHost.test(header('host')) &&
    ownFetches.has(header('sec-fetch-site')) &&
    spokenFor.every((name) => header(name) === '')
  );
}

/** Explains Redis errors in words that name the variable to check. */

import { messageOf } from '../../base/error-message.ts';
import type { RedisPlace } from '../../config/config.ts';

/** A reply does not match the command, or a value does not match its checksum. */
export class UntrustedError extends Error {
  constructor() {
    super('an answer is not what was stored');
  }
}

export interface Reason {
  readonly text: string;
  /** The message without variable parts such as a slot number. */
  readonly kind: string;
  /** How much it explains: the end of a connection least, the server's own message most. */
  readonly weight: number;
  /** A configuration error: logged at once as an error, because it does not pass by itself. */
  readonly isCertain: boolean;
}

/** The connection ended, for whatever reason. */
const lost = 'the connection is gone';

interface Meaning {
  readonly pattern: RegExp;
  readonly says: string;
  readonly isCertain: boolean;
}

const wrongNode =
  'the server is a node of a Redis Cluster: name it in REDIS_CLUSTER, not in REDIS_HOST';
const notTrusted = 'the certificate of Redis is not trusted: look at REDIS_TLS_CA_FILE';
const noTls = 'the server does not speak TLS on this port: look at REDIS_TLS and the port';

/** The first match applies. Redis errors start with a code word; OpenSSL errors have codes. */
const meanings: readonly Meaning[] = [
  certain(
    /^WRONGPASS|^ERR invalid password/,
    'Redis refuses the user or the password: look at REDIS_USERNAME and REDIS_PASSWORD, or REDIS_URL',
  ),
  certain(
    /^NOAUTH|^ERR operation not permitted/,
    'Redis asks for a password: set REDIS_PASSWORD, with an ACL REDIS_USERNAME too',
  ),
  certain(/^NOPERM/, 'the user of REDIS_USERNAME may not do what the cache needs'),
  certain(/^DENIED/, 'Redis is in protected mode: it takes no strangers without a password'),
  certain(
    /wrong number of arguments for 'auth'/,
    'the server is older than Redis 6 and knows no users: leave REDIS_USERNAME empty',
  ),
  certain(/cluster support disabled/, 'the server in REDIS_CLUSTER is no cluster: use REDIS_HOST'),
  certain(/^ERR (DB index|invalid DB index)/, 'Redis has no database of the number in REDIS_DB'),
  certain(
    /^ERR unknown (sub)?command|^ERR Unknown subcommand/i,
    'the server does not know a command of the cache: it is too old, a Sentinel, or no Redis',
  ),
  certain(/\bERR_TLS_CERT_ALTNAME_INVALID\b|altnames/, `${notTrusted}: it is for another host`),
  certain(/CERT_HAS_EXPIRED|certificate has expired/, 'the certificate of Redis has expired'),
  certain(
    /SELF_SIGNED_CERT|UNABLE_TO_|CERT_|self-signed certificate|unable to (verify|get)/,
    notTrusted,
  ),
  certain(
    /certificate[ _]required|handshake[ _]failure.*certificate|peer did not return a certificate/i,
    'Redis asks for a certificate of its clients: set tls-auth-clients to no or optional there',
  ),
  certain(/wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|EPROTO/i, noTls),
  certain(
    /Unknown RESP type 21\b/,
    'the server speaks TLS on this port: set REDIS_TLS=true, or rediss:// in REDIS_URL',
  ),
  passing(/^LOADING/, 'Redis is loading its data'),
  passing(/^MASTERDOWN/, 'the server is a replica that has lost its master'),
  passing(/^BUSY/, 'Redis is busy with a script'),
  passing(/^CLUSTERDOWN/, 'the cluster is down: some of its slots have no master'),
  passing(/max number of clients/, 'Redis has its maximum of connections (maxclients)'),
  passing(
    /^OOM/,
    'Redis is full: give it more memory (maxmemory), or let old keys go (maxmemory-policy allkeys-lru)',
  ),
  passing(/^READONLY/, 'the server is a replica, which takes no writes: name its master'),
  passing(/^MISCONF/, 'Redis cannot save its data and takes no writes: look into its log'),
  passing(
    /^NOREPLICAS/,
    'Redis has fewer replicas than it needs for writes (min-replicas-to-write)',
  ),
  passing(/ECONNREFUSED/, 'nothing listens there'),
  passing(/ENOTFOUND|EAI_AGAIN/, 'the name of the host is not known'),
  passing(/EHOSTUNREACH|ENETUNREACH/, 'there is no way to the host'),
  passing(/ETIMEDOUT/, 'the host does not answer'),
];
/** What ioredis reports for commands of a lost connection; another error has the reason. */
const vague = /max retries per request|isn't writeable|Connection is closed/;
/** Redis explains some errors at length. */
const shownCharactersMax = 200;

export function reasonOf(error: unknown, form: RedisPlace['form']): Reason {
  const said = messageOf(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (vague.test(said)) return { text: lost, kind: lost, weight: 0, isCertain: false };
  const isCluster = form === 'cluster';
  if (!isCluster && /^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b|not allowed in cluster mode/.test(said)) {
    return { text: `${wrongNode} (${shorten(said)})`, kind: wrongNode, weight: 3, isCertain: true };
  }
  const whole = code === '' || said.includes(code) ? said : `${said} ${code}`;
  const meaning = meanings.find(({ pattern }) => pattern.test(whole));
  if (meaning === undefined) {
    return { text: shorten(said), kind: 'another', weight: 1, isCertain: false };
  }
  const { says, isCertain } = meaning;
  return { text: `${says} (${shorten(said)})`, kind: says, weight: isCertain ? 3 : 2, isCertain };
}

/** The server replied, so the connection works. */
export function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Another node of the cluster has the slot, or will have it: the list comes from PostgreSQL. */
export function isRedirect(error: unknown): error is Error {
  return error instanceof Error && /^(MOVED|ASK|TRYAGAIN) /.test(error.message);
}

function certain(pattern: RegExp, says: string): Meaning {
  return { pattern, says, isCertain: true };
}

function passing(pattern: RegExp, says: string): Meaning {
  return { pattern, says, isCertain: false };
}

function shorten(text: string): string {
  const [line = ''] = text.split(/[\r\n]/);
  return line.length <= shownCharactersMax ? line : `${line.slice(0, shownCharactersMax)}…`;
}

/** Basic authentication (RFC 7617) with the credentials of the metrics. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The header of a 401 response. The charset declares UTF-8 for names and passwords. */
export const authenticateHeader = 'WWW-Authenticate: Basic realm="tasks", charset="UTF-8"';

/** A longer header is rejected without decoding. */
const headerLengthMax = 1024;
const keyBytes = 32;

/**
 * Constant time: both sides are hashed with a random key of this process, so neither lengths nor
 * the first difference affect the time.
 * @returns a function that checks the value of an Authorization header.
 */
export function createBasicAuth(credentials: Credentials): (authorization: string) => boolean {
  const key = randomBytes(keyBytes);
  const digest = (bytes: Buffer): Buffer => createHmac('sha256', key).update(bytes).digest();
  const expected = digest(Buffer.from(`${credentials.username}:${credentials.password}`));

  return function isAllowed(authorization) {
    const given = decodeBasic(authorization);
    // An invalid header is compared too, and then rejected.
    const isSame = timingSafeEqual(digest(given ?? Buffer.alloc(0)), expected);
    return isSame && given !== undefined;
  };
}

/** @returns the bytes of `name:password`; `undefined` for any other form. */
function decodeBasic(authorization: string): Buffer | undefined {
  if (authorization.length > headerLengthMax) return undefined;
  const token = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token, 'base64');
  // Node also decodes truncated base64 and stray bits: accept only the canonical form.
  return bytes.toString('base64') === token ? bytes : undefined;
}

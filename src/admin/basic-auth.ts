/** Who may see what is behind the credentials of the metrics (RFC 7617). */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The header of a 401 answer. The charset says that names and passwords are UTF-8. */
export const authenticateHeader = 'WWW-Authenticate: Basic realm="tasks", charset="UTF-8"';

/** A longer header is refused unread. */
const headerLengthMax = 1024;
const keyBytes = 32;

/**
 * Takes the same time whatever is wrong, and how much of it is right: both sides are hashed with a
 * key that only this process knows, so neither their lengths nor their first difference show.
 * @returns whether the value of an Authorization header is that of the credentials.
 */
export function createBasicAuth(credentials: Credentials): (authorization: string) => boolean {
  const key = randomBytes(keyBytes);
  const digest = (bytes: Buffer): Buffer => createHmac('sha256', key).update(bytes).digest();
  const expected = digest(Buffer.from(`${credentials.username}:${credentials.password}`));

  return function isAllowed(authorization) {
    const given = decodeBasic(authorization);
    // What is no credential at all is compared too, and then refused.
    const isSame = timingSafeEqual(digest(given ?? Buffer.alloc(0)), expected);
    return isSame && given !== undefined;
  };
}

/** @returns the bytes of `name:password`; `undefined` for what is not of that form. */
function decodeBasic(authorization: string): Buffer | undefined {
  if (authorization.length > headerLengthMax) return undefined;
  const token = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const bytes = Buffer.from(token, 'base64');
  // Node decodes also what is cut off or has stray bits: one text has one form only.
  return bytes.toString('base64') === token ? bytes : undefined;
}

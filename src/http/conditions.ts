/** The headers under which a request is to happen, or to happen once. */
import { hasKeyFlag, hasVersionsFlag, mergePatchFlag } from '../batching/frames.ts';
import type { Kind } from '../contract/endpoints.ts';
import { versionsOf } from '../contract/entity-tags.ts';
import { idempotencyKeyLengthMax } from '../contract/limits.ts';
import type { Fault } from '../contract/problems.ts';
import type { Exchange } from './exchange.ts';
import type { RequestHeaders } from './request-headers.ts';

const acceptableKey = new RegExp(`^[\\x21-\\x7e]{1,${idempotencyKeyLengthMax}}$`);

const keyFault: Fault = {
  code: 'invalid',
  field: 'Idempotency-Key',
  message: `must have 1 to ${idempotencyKeyLengthMax} visible ASCII characters`,
};

const ifMatchFault: Fault = {
  code: 'invalid',
  field: 'If-Match',
  message: 'must be * or a list of entity tags in quotes',
};

/** Fills the exchange. @returns what is wrong with a header. */
export function takeConditions(
  kind: Kind,
  exchange: Exchange,
  headers: Readonly<RequestHeaders>,
): Fault | undefined {
  switch (kind) {
    case 'create':
      return takeKey(exchange, headers.idempotencyKey);
    case 'change':
      if (exchange.method === 'PATCH') exchange.flags |= mergePatchFlag;
      return takeIfMatch(exchange, headers.ifMatch);
    case 'remove':
      return takeIfMatch(exchange, headers.ifMatch);
    default:
      exchange.ifNoneMatch = headers.ifNoneMatch ?? '';
      return undefined;
  }
}

function takeKey(exchange: Exchange, key: string | undefined): Fault | undefined {
  if (key === undefined) return undefined;
  if (!acceptableKey.test(key)) return keyFault;
  exchange.flags |= hasKeyFlag;
  exchange.extra = key;
  return undefined;
}

/** `*` asks for no more than that the task exists, as every change does. */
function takeIfMatch(exchange: Exchange, ifMatch: string | undefined): Fault | undefined {
  if (ifMatch === undefined) return undefined;
  const versions = versionsOf(ifMatch, exchange.id);
  if (versions === undefined) return ifMatchFault;
  if (versions === 'any') return undefined;
  exchange.flags |= hasVersionsFlag;
  exchange.extra = versions.join(',');
  return undefined;
}

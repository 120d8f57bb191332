/** Reads the conditional headers and Idempotency-Key of a request. */
import { hasKeyFlag, hasVersionsFlag, isUnmetFlag, mergePatchFlag } from '../batching/frames.ts';
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

const ifMatchFault = tagsFault('If-Match');
const ifNoneMatchFault = tagsFault('If-None-Match');

function tagsFault(field: string): Fault {
  return { code: 'invalid', field, message: 'must be * or a list of entity tags in quotes' };
}

/** Fills the exchange. @returns the fault of a header. */
export function takeConditions(
  kind: Kind,
  exchange: Exchange,
  headers: Readonly<RequestHeaders>,
): Fault | undefined {
  switch (kind) {
    case 'create':
      return (
        takeKey(exchange, headers.idempotencyKey) ?? takeAbsence(exchange, headers.ifNoneMatch)
      );
    case 'change':
      if (exchange.method === 'PATCH') exchange.flags |= mergePatchFlag;
      return takeVersions(exchange, headers);
    case 'remove':
      return takeVersions(exchange, headers);
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

/**
 * `If-None-Match: *` on a create: its target, the list, always exists, so the condition never holds
 * (RFC 9110, section 13.1.2). Tags of lists are not compared.
 */
function takeAbsence(exchange: Exchange, ifNoneMatch: string | undefined): Fault | undefined {
  if (ifNoneMatch === undefined) return undefined;
  const versions = versionsOf(ifNoneMatch, 0, 'weak');
  if (versions === undefined) return ifNoneMatchFault;
  if (versions === 'any') exchange.flags |= isUnmetFlag;
  return undefined;
}

/** If both headers are present, both conditions must hold (RFC 9110, section 13.2.2). */
function takeVersions(
  exchange: Exchange,
  { ifMatch, ifNoneMatch }: Readonly<RequestHeaders>,
): Fault | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  // `*` requires only that the task exists, as every change does.
  const wanted = ifMatch === undefined ? 'any' : versionsOf(ifMatch, exchange.id, 'strong');
  if (wanted === undefined) return ifMatchFault;
  const refused = ifNoneMatch === undefined ? [] : versionsOf(ifNoneMatch, exchange.id, 'weak');
  if (refused === undefined) return ifNoneMatchFault;
  if (refused === 'any') return setVersions(exchange, []);
  if (wanted === 'any') {
    if (refused.length > 0)
      setVersions(
        exchange,
        refused.map((version) => -version),
      );
    return undefined;
  }
  const isRefused = new Set(refused);
  return setVersions(
    exchange,
    wanted.filter((version) => !isRefused.has(version)),
  );
}

function setVersions(exchange: Exchange, versions: readonly number[]): undefined {
  exchange.flags |= hasVersionsFlag;
  exchange.extra = versions.join(',');
}

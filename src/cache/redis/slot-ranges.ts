/** Decodes the reply to CLUSTER SLOTS, and MOVED errors. */
import type { ServerAddress } from '../../config/config.ts';
import { slotCount } from './slot.ts';

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: ServerAddress;
}

/**
 * `[first, last, [host, port, …], replicas…]` for each range. A node that does not know its address
 * or name sends null: use the address of the connection.
 * @returns `undefined` if it is not such a reply.
 */
export function readSlotRanges(
  answer: unknown,
  asked: ServerAddress,
): readonly SlotRange[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  const ranges: SlotRange[] = [];
  for (const range of answer as readonly unknown[]) {
    const [first, last, node] = Array.isArray(range) ? (range as readonly unknown[]) : [];
    const [host, port] = Array.isArray(node) ? (node as readonly unknown[]) : [];
    if (!isSlot(first) || !isSlot(last) || !Number.isInteger(port)) return undefined;
    // The node prefers hostnames and has none configured.
    if (host === '?') continue;
    const name = host === null || host === '' ? asked.host : String(host);
    ranges.push({ first, last, master: { host: name, port: Number(port) } });
  }
  return ranges;
}

/** Example: `MOVED 3999 127.0.0.1:6381`. The address may contain colons (IPv6) or be empty. */
export function readMoved(
  message: string,
  asked: ServerAddress,
): { readonly slot: number; readonly master: ServerAddress } | undefined {
  const [, slot, host, port] = /^MOVED (\d{1,5}) (.*):(\d{1,5})$/.exec(message) ?? [];
  if (slot === undefined || !isSlot(Number(slot)) || host === '?') return undefined;
  const master = { host: host === '' ? asked.host : host!, port: Number(port) };
  return { slot: Number(slot), master };
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < slotCount;
}

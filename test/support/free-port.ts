/** A port that is free now and outside the range from which the kernel assigns ports. */
import { everywhere } from '../../src/config/bind-address.ts';
import { findAddresses, findPort } from '../../src/primary/port.ts';

export async function freePort(): Promise<number> {
  return findPort(0, await findAddresses({ addresses: everywhere, isDefault: true }));
}

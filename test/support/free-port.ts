/** A port that nobody listens on at this moment, and that the system gives to nobody by itself. */
import { everywhere } from '../../src/config/bind-address.ts';
import { findAddresses, findPort } from '../../src/primary/port.ts';

export async function freePort(): Promise<number> {
  return findPort(0, await findAddresses({ addresses: everywhere, isDefault: true }));
}

/** A port that nobody listens on at this moment, and that the system gives to nobody by itself. */
import { findPort } from '../../src/port.ts';

export function freePort(): Promise<number> {
  return findPort(0);
}

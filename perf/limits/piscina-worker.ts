/** Does nothing, so that only the transfer is measured. */
import { move } from 'piscina';

export default function nothing(buffer: ArrayBuffer | null): unknown {
  return buffer === null ? null : move(buffer);
}

/** As much of the protocol buffers' encoding as a profile needs: whole numbers, texts, messages. */

export type Field = readonly [
  number: number,
  value: number | bigint | string | Uint8Array | readonly number[],
];

/** Fields that are zero or empty are left out; lists of numbers are packed. */
export function encodeMessage(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (BigInt(value) !== 0n) parts.push(encodeNumbers([number << 3, value]));
      continue;
    }
    const bytes =
      typeof value === 'string'
        ? Buffer.from(value)
        : value instanceof Uint8Array
          ? value
          : encodeNumbers(value);
    parts.push(encodeNumbers([(number << 3) | 2, bytes.length]), bytes);
  }
  return Buffer.concat(parts);
}

/** Seven bits in a byte, the lowest first; the eighth says that another one follows. */
function encodeNumbers(numbers: readonly (number | bigint)[]): Uint8Array {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = BigInt(number);
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    bytes.push(Number(rest));
  }
  return Uint8Array.from(bytes);
}

/** Parses `100k` and similar. */
export function parseSize(text: string): number {
  const match = /^(\d+)([kM]?)$/.exec(text);
  if (match === null) throw new Error('--sizes: expected sizes such as 1k,100k,1M');
  return Number(match[1]) * { '': 1, k: 1000, M: 1_000_000 }[match[2] as '' | 'k' | 'M'];
}

export function printSize(size: number): string {
  if (size % 1_000_000 === 0) return `${size / 1_000_000} M`;
  return size % 1000 === 0 ? `${size / 1000} k` : String(size);
}

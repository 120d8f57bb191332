/**
 * Which list statements the server keeps prepared. Filters combine into more shapes than it
 * should: the first ones are kept, those that a service warms among them, the others are not.
 */
export interface PreparedShapes {
  keeps(text: string): boolean;
}

/** A kept statement costs the server some tens of kilobytes on every connection. */
export const preparedShapesMax = 64;

export function createPreparedShapes(max = preparedShapesMax): PreparedShapes {
  const kept = new Set<string>();
  return {
    keeps(text) {
      if (kept.has(text)) return true;
      if (kept.size === max) return false;
      kept.add(text);
      return true;
    },
  };
}

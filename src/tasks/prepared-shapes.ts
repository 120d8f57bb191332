/**
 * Decides which list statements the server keeps prepared. Filters combine into many shapes: the
 * first ones are kept, with those of the warm-up, the others are not.
 */
export interface PreparedShapes {
  keeps(text: string): boolean;
}

/** A prepared statement costs the server some tens of kilobytes on each connection. */
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

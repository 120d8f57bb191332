/** Circles in a graph of imports. */

/** From a file or folder to what it imports. */
export type Edges = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * One circle for each import that closes one.
 *
 * @returns such as `a → b → a`; empty where there is none.
 */
export function findCircles(edges: Edges): readonly string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];

  function visit(node: string): void {
    if (done.has(node)) return;
    const place = path.indexOf(node);
    if (place >= 0) {
      circles.push([...path.slice(place), node].join(' → '));
      return;
    }
    path.push(node);
    for (const target of edges.get(node) ?? []) visit(target);
    path.pop();
    done.add(node);
  }

  for (const node of edges.keys()) visit(node);
  return circles;
}

/** @param nodeOf groups files; imports inside one group are no edges, unless a file imports itself. */
export function edgesOf(
  sources: readonly {
    readonly file: string;
    readonly imports: readonly { readonly target: string; readonly isLocal: boolean }[];
  }[],
  nodeOf: (file: string) => string,
): Edges {
  const edges = new Map<string, Set<string>>();
  for (const { file, imports } of sources) {
    const from = nodeOf(file);
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const { target, isLocal } of imports) {
      const to = nodeOf(target);
      if (isLocal && (to !== from || target === file)) targets.add(to);
    }
  }
  return edges;
}

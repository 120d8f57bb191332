/** Summarises a merged .cpuprofile in words, and reduces it for drawing. */

interface Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  /** Microseconds. */
  readonly hitCount: number;
  readonly children: readonly number[];
}

const shown = 12;
/** Narrower than a pixel of a wide screen. */
const shareMin = 1 / 4000;

/** The functions with the most self time, and those with the most total time. */
export function describeWidest(profile: string): string {
  const nodes = readNodes(profile);
  const own = new Map<string, number>();
  const all = new Map<string, number>();
  // Callers first: of two equally wide functions the outer one is named first.
  for (const node of nodes.values()) all.set(nameOf(node), 0);
  const total = visit(1, new Set());
  return [...section('of their own', own), ...section('with what they call', all)].join('\n');

  function visit(id: number, above: ReadonlySet<string>): number {
    const node = nodes.get(id)!;
    const name = nameOf(node);
    const inside = new Set(above).add(name);
    let sum = node.hitCount;
    for (const child of node.children) sum += visit(child, inside);
    own.set(name, (own.get(name) ?? 0) + node.hitCount);
    // A recursive function counts once.
    if (!above.has(name)) all.set(name, (all.get(name) ?? 0) + sum);
    return sum;
  }

  function section(title: string, times: ReadonlyMap<string, number>): string[] {
    const widest = [...times].sort(([, a], [, b]) => b - a).slice(0, shown);
    const rows = widest.map(
      ([name, time]) => `${((100 * time) / total).toFixed(1).padStart(6)} %  ${name}`,
    );
    return [`widest ${title}:`, ...rows];
  }
}

/**
 * Omits frames too narrow to see, whose time goes to the caller. Counts lines from one, because 0x
 * shows them unchanged.
 */
export function withinSize(profile: string): object {
  const nodes = readNodes(profile);
  const sums = new Map<number, number>();
  const total = sumOf(1);
  const kept: Node[] = [];
  keep(1);
  return { nodes: kept, startTime: 0, endTime: total, samples: [], timeDeltas: [] };

  function sumOf(id: number): number {
    const { hitCount, children } = nodes.get(id)!;
    const sum = children.reduce((all, child) => all + sumOf(child), hitCount);
    sums.set(id, sum);
    return sum;
  }

  function keep(id: number): void {
    const { callFrame, hitCount, children } = nodes.get(id)!;
    const wide = children.filter((child) => sums.get(child)! >= total * shareMin);
    const narrow = children.filter((child) => !wide.includes(child));
    kept.push({
      id,
      callFrame: { ...callFrame, lineNumber: callFrame.lineNumber + 1 },
      hitCount: narrow.reduce((sum, child) => sum + sums.get(child)!, hitCount),
      children: wide,
    });
    for (const child of wide) keep(child);
  }
}

function readNodes(profile: string): Map<number, Node> {
  const { nodes } = JSON.parse(profile) as { nodes: readonly Node[] };
  return new Map(nodes.map((node) => [node.id, node]));
}

function nameOf({ callFrame }: Node): string {
  const { functionName, url, lineNumber } = callFrame;
  return url === '' ? functionName : `${functionName} ${url}:${lineNumber + 1}`;
}

/** Converts the output of `perf script -F comm,pid,tid,ip,sym,dso` to a .cpuprofile. */

interface Node {
  readonly id: number;
  readonly name: string;
  hitCount: number;
  readonly children: Map<string, Node>;
}

/** All samples have equal duration, so the unit does not matter for a graph. */
export function perfScriptToProfile(script: string): string {
  const nodes: Node[] = [];
  const root = create('[root]');
  for (const block of script.split(/\n\n+/)) {
    const [head, ...lines] = block.split('\n').filter((line) => line.trim() !== '');
    const thread = /^\s*(.+?)\s+(\d+)\/(\d+)/.exec(head ?? '');
    if (thread === null) continue;
    const [, name, pid, tid] = thread;
    const frames = lines.map(frameOf).reverse();
    const whose = pid === tid ? `main thread of ${pid}` : `${name} ${tid}`;
    let node = child(child(root, `process ${pid}`), whose);
    for (const frame of frames) node = child(node, frame);
    node.hitCount++;
  }
  return JSON.stringify({
    nodes: nodes.map(({ id, name, hitCount, children }) => ({
      id,
      callFrame: { functionName: name, scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 },
      hitCount,
      children: [...children.values()].map((node) => node.id),
    })),
  });

  function create(name: string): Node {
    const node = { id: nodes.length + 1, name, hitCount: 0, children: new Map<string, Node>() };
    nodes.push(node);
    return node;
  }

  function child(node: Node, name: string): Node {
    const known = node.children.get(name);
    if (known !== undefined) return known;
    const made = create(name);
    node.children.set(name, made);
    return made;
  }
}

/** `  7f12 uv__io_poll+0x12 (/usr/bin/node)`; compiled JavaScript is `JS:*name file:///…/dist/…:1:2`. */
function frameOf(line: string): string {
  const found = /^\s*[0-9a-f]+\s+(.*?)(?:\+0x[0-9a-f]+)?\s+\((.*)\)$/.exec(line);
  if (found === null) return line.trim();
  const [, symbol = '', file = ''] = found;
  if (symbol === '[unknown]') return `[${file.split('/').at(-1)}]`;
  return symbol
    .replace(/(?:file:\/\/)?\/\S*?\/((?:dist|node_modules)\/)/, '$1')
    .replace(/^(JS|Function):/, '');
}

/** Builds one tree of the samples of a profile; the outermost functions are near the root. */
import type { Sample, StackFrame } from './profile.ts';

export interface CallNode {
  readonly frame: StackFrame;
  readonly children: Map<string, CallNode>;
  /** The sum of the samples that end here. */
  own: number;
  /** The same by line. */
  readonly lines: Map<number, number>;
}

/**
 * The root's children are processes, and their children are threads.
 * @param value the index of the value to sum.
 */
export function buildCallTree(samples: readonly Sample[], value: number): CallNode {
  const root = createNode({ name: '[root]', file: '', startLine: 0, line: 0 });
  for (const { stack, values, process, thread } of samples) {
    let node = childOf(childOf(root, group(process)), group(thread));
    for (const frame of stack.toReversed()) node = childOf(node, frame);
    const own = values[value]!;
    const line = stack[0]?.line ?? 0;
    node.own += own;
    node.lines.set(line, (node.lines.get(line) ?? 0) + own);
  }
  return root;
}

function group(name: string): StackFrame {
  return { name, file: '', startLine: 0, line: 0 };
}

function childOf(node: CallNode, frame: StackFrame): CallNode {
  const key = `${frame.name} ${frame.file} ${frame.startLine}`;
  const known = node.children.get(key);
  if (known !== undefined) return known;
  const child = createNode(frame);
  node.children.set(key, child);
  return child;
}

function createNode(frame: StackFrame): CallNode {
  return { frame, children: new Map(), own: 0, lines: new Map() };
}

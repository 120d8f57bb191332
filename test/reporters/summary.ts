/**
 * What stands behind the runner's own report, because logs are cut: what was skipped and why, what
 * failed, by file and name, and as the very last line the totals. What is counted are tests without
 * tests below them, and what failed for a reason of its own.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

export interface SummaryOptions {
  /** Files are shown from here, as sources. */
  readonly root: string;
  /** Awaited before the text, with the number of failures; what it returns stands above it. */
  readonly finish?: (failed: number) => Promise<string>;
}

export type Reporter = (source: AsyncIterable<TestEvent>) => AsyncGenerator<string, void>;

type OfTest = Extract<
  TestEvent,
  { type: 'test:dequeue' | 'test:start' | 'test:complete' | 'test:pass' | 'test:fail' }
>;

interface FileState {
  /** Of the open test at each depth. */
  readonly names: string[];
  /** How many ended at each depth below the open one. */
  readonly ended: number[];
  readonly running: Set<string>;
}

export function createSummary({ root, finish }: SummaryOptions): Reporter {
  return async function* summary(source) {
    const states = new Map<string, FileState>();
    const failed: string[] = [];
    const skipped: string[] = [];
    let passed = 0;

    for await (const event of source) {
      if (!isOfTest(event)) continue;
      const { type, data } = event;
      const file = sourceOf(data.file);
      const { names, ended, running } = stateOf(file);
      if (type === 'test:dequeue' && !isTestFile(data)) running.add(data.name);
      if (type === 'test:complete') running.delete(data.name);
      if (type === 'test:start') names.splice(data.nesting, names.length, data.name);
      if (type !== 'test:pass' && type !== 'test:fail') continue;

      const isLeaf = (ended[data.nesting + 1] ?? 0) === 0 && data.details.type !== 'suite';
      ended[data.nesting + 1] = 0;
      ended[data.nesting] = (ended[data.nesting] ?? 0) + 1;
      const name = [...names.slice(0, data.nesting), data.name].join(' › ');
      if (data.skip !== undefined && data.skip !== false) {
        const reason =
          typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason given';
        skipped.push(`${file} ${name}: ${reason}`);
      } else if (isTestFile(data)) {
        failed.push(
          type === 'test:pass' ? `${file} ended without a test` : `${file}${unfinished(running)}`,
        );
      } else if (type === 'test:pass') {
        if (isLeaf) passed++;
      } else if (isLeaf || !isOfSubtests(data.details.error)) {
        failed.push(`${file} ${name}`);
      }
    }

    const text = ((await finish?.(failed.length)) ?? '').trim();
    const more = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
    yield [
      section('Skipped', skipped),
      text === '' ? '' : `\n${text}\n`,
      section('Failed', failed),
      `\n${passed} passed, ${failed.length} failed${more}\n`,
    ].join('');

    function stateOf(file: string): FileState {
      const state = states.get(file) ?? { names: [], ended: [], running: new Set() };
      states.set(file, state);
      return state;
    }
  };

  /** Node 20 names what was built; newer ones name the source by themselves. */
  function sourceOf(file = ''): string {
    return relative(root, file).replace(/^dist\/(.*)\.js$/, '$1.ts');
  }
}

function isOfTest(event: TestEvent): event is OfTest {
  return /^test:(dequeue|start|complete|pass|fail)$/.test(event.type);
}

/** The runner tells a whole file as a test that has the file's name, where its tests do not tell enough. */
function isTestFile(data: {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
}) {
  return data.nesting === 0 && data.name === data.file;
}

function isOfSubtests(error: Error): boolean {
  return (error as { readonly failureType?: string }).failureType === 'subtestsFailed';
}

function unfinished(running: ReadonlySet<string>): string {
  return running.size === 0 ? '' : ` did not end: ${[...running].join(', ')}`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

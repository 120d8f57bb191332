/**
 * Says little while all goes well: one line a file. Each failure in full, with the file's own
 * output; then what was skipped and why, what tests noted (`t.diagnostic`), the slowest tests, the
 * names of what failed, and as the very last line the totals.
 * What is counted are tests without tests below them, and what failed for a reason of its own.
 */
import type { TestEvent } from 'node:test/reporters';
import { createFailures, isTestFile } from './failures.ts';
import { createLocator } from './locations.ts';

export interface SummaryOptions {
  /** Files are shown from here. */
  readonly root: string;
  /** Awaited before the last line, with the number of failures; its text stands above it. */
  readonly finish?: (failed: number) => Promise<string>;
}

export type Reporter = (source: AsyncIterable<TestEvent>) => AsyncGenerator<string, void>;

interface Timed {
  readonly where: string;
  readonly name: string;
  readonly durationMs: number;
}

const slowestShown = 10;

export function createSummary(options: SummaryOptions): Reporter {
  const locate = createLocator(options.root);

  return async function* summary(source) {
    const failures = createFailures(locate);
    const timed: Timed[] = [];
    const skipped: string[] = [];
    const notes: string[] = [];
    /** Per file: the name of the open test at each depth, and how many ended there so far. */
    const open = new Map<string, { names: string[]; ended: number[] }>();
    let passed = 0;

    for await (const event of source) {
      failures.observe(event);
      switch (event.type) {
        case 'test:start': {
          const { names } = stateOf(event.data.file);
          names.length = event.data.nesting;
          names.push(event.data.name);
          break;
        }
        case 'test:complete':
          // The type of this event lacks what it says of a failure.
          if (isTestFile(event.data)) {
            const { duration_ms, error } = event.data.details as {
              duration_ms: number;
              error?: unknown;
            };
            const mark = error === undefined ? '✓' : '✗';
            yield `${mark} ${locate(event.data).file} (${Math.round(duration_ms)} ms)\n`;
          }
          break;
        case 'test:pass':
        case 'test:fail': {
          const { data } = event;
          const { names, ended } = stateOf(data.file);
          const isLeaf = (ended[data.nesting + 1] ?? 0) === 0 && data.details.type !== 'suite';
          ended[data.nesting + 1] = 0;
          ended[data.nesting] = (ended[data.nesting] ?? 0) + 1;
          const name = [...names.slice(0, data.nesting), data.name].join(' › ');

          if (data.skip !== undefined && data.skip !== false) {
            skipped.push(`${locate(data).text} ${name}: ${reasonOf(data.skip)}`);
          } else if (event.type === 'test:fail') {
            yield failures.describe(name, event.data, isLeaf);
          } else if (isTestFile(data)) {
            yield failures.describeEmpty(data);
          } else if (isLeaf) {
            passed++;
            timed.push({ where: locate(data).text, name, durationMs: data.details.duration_ms });
          }
          break;
        }
        case 'test:diagnostic':
          // The runner's own totals have no file.
          if (event.data.file !== undefined) {
            notes.push(`${locate(event.data).file} ${event.data.message}`);
          }
          break;
        default:
      }
    }

    const text = ((await options.finish?.(failures.count())) ?? '').trim();
    const more = skipped.length === 0 ? '' : `, ${skipped.length} skipped`;
    yield [
      section('Skipped', skipped),
      section('Noted', notes),
      section('Slowest', slowest(timed)),
      text === '' ? '' : `\n${text}\n`,
      section('Failed', failures.list()),
      `\n${passed} passed, ${failures.count()} failed${more}\n`,
    ].join('');

    function stateOf(file = ''): { names: string[]; ended: number[] } {
      let state = open.get(file);
      if (state === undefined) {
        state = { names: [], ended: [] };
        open.set(file, state);
      }
      return state;
    }
  };
}

function reasonOf(skip: string | boolean): string {
  return typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function slowest(timed: readonly Timed[]): string[] {
  return timed
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, slowestShown)
    .map(
      ({ durationMs, where, name }) => `${durationMs.toFixed(0).padStart(6)} ms  ${where} ${name}`,
    );
}

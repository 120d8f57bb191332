/**
 * Prints one line for each file that passes. Prints each failure in full, with the output of its
 * file. At the end come skipped tests with reasons, notes of tests (`t.diagnostic`), the slowest
 * tests, the names of failures, and the totals as the last line.
 * It counts leaf tests, and parents that failed for their own reason.
 */
import type { TestEvent } from 'node:test/reporters';
import { createFailures, isTestFile } from './failures.ts';
import { createLocator } from './locations.ts';

export interface SummaryOptions {
  /** Paths are shown relative to this folder. */
  readonly root: string;
  /** Awaited before the last line, with the number of failures; its text is printed above it. */
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
    /** For each file: the name of the open test at each depth, and how many ended there. */
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
          // The type of this event lacks the failure's details.
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

/** Formats failed tests: place, error, output of the file, hanging tests. */

import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import type { Locator, Place } from './locations.ts';

type Failed = Extract<TestEvent, { type: 'test:fail' }>['data'];

export interface Failures {
  observe(event: TestEvent): void;
  /** Empty for a parent that failed only because of a test below it. */
  describe(name: string, failed: Failed, isLeaf: boolean): string;
  /** A file that passed without a test: it may have ended early. */
  describeEmpty(file: Place): string;
  count(): number;
  /** Place and name of each failure, for the end of the output. */
  list(): readonly string[];
}

/** Only the end of a file's output is kept. */
const outputMaxChars = 16_384;

export function createFailures(locate: Locator): Failures {
  const outputs = new Map<string, string>();
  const running = new Map<string, Set<string>>();
  const failed: string[] = [];

  function observe(event: TestEvent): void {
    switch (event.type) {
      case 'test:stdout':
      case 'test:stderr': {
        const { file = '', message } = event.data;
        outputs.set(file, ((outputs.get(file) ?? '') + message).slice(-outputMaxChars));
        break;
      }
      case 'test:dequeue':
        if (!isTestFile(event.data)) runningIn(event.data.file).add(event.data.name);
        break;
      case 'test:complete':
        runningIn(event.data.file).delete(event.data.name);
        break;
      default:
    }
  }

  function describe(name: string, data: Failed, isLeaf: boolean): string {
    const { error } = data.details;
    const { failureType, cause } = error as { failureType?: string; cause?: unknown };
    if (!isLeaf && failureType === 'subtestsFailed') return '';
    const place = locate(data);
    failed.push(isTestFile(data) ? place.file : `${place.text} ${name}`);
    const lines = [`\n✗ ${isTestFile(data) ? place.file : name}`, `  ${place.text}`];
    lines.push(indent(textOf(cause ?? error)));
    const unfinished = isTestFile(data) ? [...runningIn(data.file)] : [];
    if (unfinished.length > 0) lines.push(`  did not end: ${unfinished.join(', ')}`);
    return `${lines.join('\n')}\n${outputOf(data.file)}\n`;
  }

  function describeEmpty(file: Place): string {
    failed.push(`${locate(file).file} ended without a test`);
    return `\n✗ ${locate(file).file}\n  ended without a test\n${outputOf(file.file)}\n`;
  }

  /** Printed once: later failures of the file print only newer output. */
  function outputOf(file = ''): string {
    const output = outputs.get(file)?.trim() ?? '';
    outputs.delete(file);
    return output === '' ? '' : `  what the file wrote:\n${indent(output)}\n`;
  }

  function runningIn(file = ''): Set<string> {
    let names = running.get(file);
    if (names === undefined) {
      names = new Set();
      running.set(file, names);
    }
    return names;
  }

  return { observe, describe, describeEmpty, count: () => failed.length, list: () => failed };
}

/** The runner reports a whole file as a test with the file's name. */
export function isTestFile(data: {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
}) {
  return data.nesting === 0 && data.name === data.file;
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : inspect(cause);
  const stack = (cause.stack ?? cause.message).replaceAll(/\n +at [^\n]*node:[^\n]*/g, '');
  return cause.cause === undefined ? stack : `${stack}\ncaused by ${textOf(cause.cause)}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** Writes the table for people and the raw figures for programs, side by side. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface Results {
  readonly markdown: string;
  readonly json: unknown;
  /** File names and contents. */
  readonly pictures?: Readonly<Record<string, string>>;
}

/** A second run on one day overwrites the first: git has the committed one. */
export function writeResults(directory: string, name: string, results: Results): void {
  mkdirSync(directory, { recursive: true });
  const markdown = join(directory, `${name}.md`);
  writeFileSync(markdown, results.markdown);
  writeFileSync(
    join(directory, `${name}.json`),
    `${JSON.stringify(results.json, roundNumber, 1)}\n`,
  );
  for (const [file, text] of Object.entries(results.pictures ?? {})) {
    writeFileSync(join(directory, file), text);
  }
  process.stderr.write(`wrote ${relative('', markdown)} and the raw figures beside it\n`);
}

/** Six digits are more precise than any measurement here. */
function roundNumber(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value)
    ? Number(value.toPrecision(6))
    : value;
}

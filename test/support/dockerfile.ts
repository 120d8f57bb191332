/** A Dockerfile as a list of stages, and the files that a build may see, as .dockerignore says. */
import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './house.ts';

export interface Instruction {
  readonly line: number;
  /** In capitals. */
  readonly keyword: string;
  /** `--from=build` is `from`: `build`. */
  readonly flags: ReadonlyMap<string, string>;
  /** What follows the flags, on one line. */
  readonly text: string;
}

export interface Stage {
  /** As other stages call it; otherwise its number. */
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** @throws an Error where there is more in it than this understands. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  const defaults = new Map<string, string>();
  for (const instruction of readInstructions(text)) {
    const { keyword } = instruction;
    if (keyword === 'ARG') {
      const [, name, value] = /^(\w+)=(\S+)$/.exec(instruction.text) ?? [];
      if (name === undefined || stages.length > 0) throw new Error('ARG: before FROM, a=b only');
      defaults.set(name, value!);
    } else if (keyword === 'FROM') {
      const [, base, name] = /^(\S+)(?: AS (\S+))?$/.exec(instruction.text) ?? [];
      if (base === undefined) throw new Error(`line ${instruction.line}: ${instruction.text}`);
      stages.push({
        name: name ?? String(stages.length),
        base: base.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => defaults.get(variable)!),
        instructions: [],
      });
    } else {
      stages.at(-1)!.instructions.push(instruction);
    }
  }
  return stages;
}

/** Of CMD and the like. @throws an Error where it is not written as JSON, so would need a shell. */
export function parseCommand(text: string): readonly string[] {
  return JSON.parse(text) as string[];
}

function readInstructions(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let open = '';
  let begun = 0;
  for (const [index, line] of text.split('\n').entries()) {
    // A comment may stand between the lines of an instruction.
    if (/^\s*(#|$)/.test(line)) continue;
    if (open === '') begun = index + 1;
    open += line.replace(/\\$/, '').trim();
    if (line.endsWith('\\')) {
      open += ' ';
      continue;
    }
    instructions.push(readInstruction(open, begun));
    open = '';
  }
  return instructions;
}

function readInstruction(text: string, line: number): Instruction {
  const [, keyword, rest] = /^(\w+)\s+(.*)$/.exec(text) ?? [];
  if (keyword === undefined) throw new Error(`line ${line}: ${text}`);
  const flags = new Map<string, string>();
  let left = rest!;
  for (;;) {
    const [whole, name, value] = /^--([\w-]+)=(\S+)\s+/.exec(left) ?? [];
    if (whole === undefined) break;
    flags.set(name!, value!);
    left = left.slice(whole.length);
  }
  return { line, keyword: keyword.toUpperCase(), flags, text: left };
}

/** The last pattern that fits decides; one that fits a folder fits what is in it. */
export function isIgnored(patterns: readonly string[], path: string): boolean {
  let ignored = false;
  for (const pattern of patterns) {
    const body = pattern.replace(/^!/, '');
    const expression = body
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('**', '\0')
      .replaceAll('*', '[^/]*')
      .replaceAll('\0', '.*');
    if (new RegExp(`^${expression}(/|$)`).test(path)) ignored = !pattern.startsWith('!');
  }
  return ignored;
}

export function parseIgnore(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Every file that a build may copy, from the root, also those that git does not have. */
export function listContext(patterns: readonly string[], folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    const ignored = isIgnored(patterns, path);
    if (!entry.isDirectory()) return ignored ? [] : [path];
    const mayHold = patterns.some((pattern) => pattern.startsWith(`!${path}/`));
    return ignored && !mayHold ? [] : listContext(patterns, path);
  });
}

/** Parses a Dockerfile into stages, and lists the build context by .dockerignore. */
import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './house.ts';

export interface Instruction {
  readonly line: number;
  /** In upper case. */
  readonly keyword: string;
  /** `--from=build` becomes `from`: `build`. */
  readonly flags: ReadonlyMap<string, string>;
  /** The rest after the flags, as one line. */
  readonly text: string;
}

export interface Stage {
  /** The stage's name, otherwise its number. */
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** @throws an Error for syntax that this parser does not support. */
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

/** Parses CMD and similar. @throws an Error for the shell form. */
export function parseCommand(text: string): readonly string[] {
  return JSON.parse(text) as string[];
}

function readInstructions(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let open = '';
  let begun = 0;
  for (const [index, line] of text.split('\n').entries()) {
    // Comments may be between the lines of an instruction.
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

/** The last matching pattern decides. A pattern that matches a folder matches its content. */
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

/** All files of the build context, relative to the root, also those not in git. */
export function listContext(patterns: readonly string[], folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    const ignored = isIgnored(patterns, path);
    if (!entry.isDirectory()) return ignored ? [] : [path];
    const mayHold = patterns.some((pattern) => pattern.startsWith(`!${path}/`));
    return ignored && !mayHold ? [] : listContext(patterns, path);
  });
}

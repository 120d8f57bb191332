/**
 * Process events and errors as one JSON object a line, or readable text on a terminal. What cannot
 * be written (a full disk, a reader that is gone) is lost, and ends nothing.
 */
import { fstatSync, writeSync } from 'node:fs';
import { createMask, maskValue } from './mask.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Which process speaks: primary, frontend-1, migrate. */
  readonly role: string;
  /** What must not be in a line, whoever brings it; `Config` names them. */
  readonly secrets?: readonly string[];
  /** Readable text instead of JSON; default: stdout is a terminal. */
  readonly pretty?: boolean;
  /** Takes one line without its newline; default: stdout. A throw: the line is lost. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const least = logLevels.indexOf(options.level);
  const format = (options.pretty ?? process.stdout.isTTY === true) ? formatText : formatJson;
  const write = options.write ?? openStdout();
  const mask = createMask(options.secrets ?? []);
  let lost = 0;

  function at(level: LogLevel) {
    if (logLevels.indexOf(level) < least) return ignore;
    return (message: string, fields?: LogFields): void => {
      put(format(level, options.role, mask(message), maskFields(fields)));
    };
  }

  function maskFields(fields: LogFields = {}): LogFields {
    return maskValue(fields, mask) as LogFields;
  }

  function put(line: string): void {
    try {
      if (lost > 0) write(format('warn', options.role, 'lines of the log were lost', { lost }));
      lost = 0;
      write(line);
    } catch {
      lost++;
    }
  }

  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What may be logged of an error: never its query, parameters or detail, which carry values. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    error: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
  };
}

/** The descriptor of stdout. */
const stdout = 1;

function openStdout(): (line: string) => void {
  const status = fstatSync(stdout);
  const isFile = status.isFile() || (status.isCharacterDevice() && !process.stdout.isTTY);
  // Node's stream for files is stuck for good after the first write that failed.
  if (isFile) return (line) => void writeSync(stdout, `${line}\n`);
  if (!process.stdout.listeners('error').includes(ignore)) process.stdout.on('error', ignore);
  return (line) => void process.stdout.write(`${line}\n`);
}

function ignore(): void {}

/**
 * What a terminal or a reader of lines may act on, or show in another order than it is written:
 * C0 and C1 controls, line and paragraph separators, marks of direction, the byte order mark.
 */
const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function escapeControls(text: string): string {
  return text.replace(
    controls,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function formatJson(level: LogLevel, role: string, message: string, fields?: LogFields): string {
  // JSON.stringify escapes what would end the line; the rest stands in strings only, where an
  // escape means the same.
  const time = new Date().toISOString();
  return escapeControls(JSON.stringify({ time, level, role, message, ...fields }));
}

function formatText(level: LogLevel, role: string, message: string, fields?: LogFields): string {
  const pairs = Object.entries(fields ?? {}).map(
    ([name, value]) =>
      `${escapeControls(name)}=${name === 'stack' ? formatStack(value) : formatValue(value)}`,
  );
  const time = new Date().toISOString().slice(11, 23);
  const head = [time, level.toUpperCase().padEnd(5), role.padEnd(10), escapeControls(message)];
  return [...head, ...pairs].join(' ');
}

function formatValue(value: unknown): string {
  return escapeControls(JSON.stringify(value) ?? 'undefined');
}

/** Each line is set in: what an error's message breaks in two never looks like a line of the log. */
function formatStack(stack: unknown): string {
  return String(stack)
    .split('\n')
    .map((line) => `\n    ${escapeControls(line)}`)
    .join('');
}

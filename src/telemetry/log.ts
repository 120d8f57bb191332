/**
 * Writes events and errors as one JSON object on each line, or as readable text on a terminal. A
 * line that cannot be written (disk full, closed pipe) is dropped.
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
  /** The process: primary, frontend-1, migrate. */
  readonly role: string;
  /** Secrets to mask in every line; `Config` lists them. */
  readonly secrets?: readonly string[];
  /** Readable text instead of JSON; default: stdout is a terminal. */
  readonly pretty?: boolean;
  /**
   * Writes one line, without its newline; default: to stdout. If it throws, the line is dropped.
   */
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

/** The fields of an error that may be logged. Its query, parameters and detail carry values. */
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
  // Node's stream for files stops for ever after its first failed write.
  if (isFile) return (line) => void writeSync(stdout, `${line}\n`);
  if (!process.stdout.listeners('error').includes(ignore)) process.stdout.on('error', ignore);
  return (line) => void process.stdout.write(`${line}\n`);
}

function ignore(): void {}

/**
 * Characters that a terminal or a line reader may interpret or reorder: C0 and C1 controls, line
 * and paragraph separators, bidirectional marks, the byte order mark.
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
  // JSON.stringify escapes line ends. The other characters occur only in strings, where an escape
  // has the same meaning.
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

/** Indents each line, so that a line break in a message cannot imitate a log line. */
function formatStack(stack: unknown): string {
  return String(stack)
    .split('\n')
    .map((line) => `\n    ${escapeControls(line)}`)
    .join('');
}

/** Process events and errors as one JSON object a line, or readable text on a terminal. */

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
  /** Readable text instead of JSON; default: stdout is a terminal. */
  readonly pretty?: boolean;
  /** Takes one line without its newline; default: stdout. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const least = logLevels.indexOf(options.level);
  const format = (options.pretty ?? process.stdout.isTTY === true) ? formatText : formatJson;
  const write = options.write ?? ((line: string) => void process.stdout.write(`${line}\n`));

  function at(level: LogLevel) {
    if (logLevels.indexOf(level) < least) return ignore;
    return (message: string, fields?: LogFields): void =>
      write(format(level, options.role, message, fields));
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

function ignore(): void {}

function formatJson(level: LogLevel, role: string, message: string, fields?: LogFields): string {
  // JSON.stringify escapes control characters, so a value can never begin a line of its own.
  return JSON.stringify({ time: new Date().toISOString(), level, role, message, ...fields });
}

function formatText(level: LogLevel, role: string, message: string, fields?: LogFields): string {
  const pairs = Object.entries(fields ?? {}).map(
    ([name, value]) => `${name}=${name === 'stack' ? `\n${value}` : JSON.stringify(value)}`,
  );
  const time = new Date().toISOString().slice(11, 23);
  return [time, level.toUpperCase().padEnd(5), role.padEnd(10), message, ...pairs].join(' ');
}

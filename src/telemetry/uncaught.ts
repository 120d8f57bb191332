/** An error that nobody caught: Node would print it as it is, with all that it carries. */
import { describeError, type Logger } from './log.ts';

/** Nobody knows what state a bug has left: the process ends, with its one line in the log. */
export function exitOnUncaught(log: Logger, message: string, exitCode: number): void {
  const exit = (error: unknown): void => {
    log.error(message, describeError(error));
    process.exit(exitCode);
  };
  process.on('uncaughtException', exit);
  process.on('unhandledRejection', exit);
}

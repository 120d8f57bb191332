/** Handles uncaught errors: Node would print them with all their values. */
import { describeError, type Logger } from './log.ts';

/** The state after a bug is unknown, so the process logs one line and exits. */
export function exitOnUncaught(log: Logger, message: string, exitCode: number): void {
  const exit = (error: unknown): void => {
    log.error(message, describeError(error));
    process.exit(exitCode);
  };
  process.on('uncaughtException', exit);
  process.on('unhandledRejection', exit);
}

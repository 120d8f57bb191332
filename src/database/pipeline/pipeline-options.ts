/** What a pipeline is opened with, and what starts each of its transactions. */
import type { ClientOptions } from '../client.ts';
import { settingsText, transactionSettings } from '../session-settings.ts';

export interface PipelineOptions extends Omit<ClientOptions, 'max' | 'onClose' | 'openSocket'> {
  /** Called once, when the connection is gone or could not be opened. */
  readonly onClose: () => void;
  /**
   * A statement without parameters that starts each transaction; its rows are dropped. Default: the
   * session's settings behind a transaction pooler, otherwise none. `null`: none.
   */
  readonly prelude?: string | null | undefined;
}

export function preludeOf(options: PipelineOptions, isPooled: boolean): string | null {
  const { prelude } = options;
  if (prelude !== undefined || !isPooled) return prelude ?? null;
  return settingsText(transactionSettings(options), 'transaction');
}

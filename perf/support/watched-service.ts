/** The service with its operators' pages, requested as a scraper and a profiler do. */
import { randomBytes } from 'node:crypto';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { freePort, type RunningServer } from './server.ts';
import { startService } from './service.ts';

export interface WatchedService extends RunningServer {
  /** Scrapes all processes on the port of the metrics. */
  scrape(): Promise<string>;
  /** Requests a profile on the port of the API. Rejects when it is aborted. */
  profile(seconds: number, signal: AbortSignal): Promise<void>;
}

const username = 'measurements';

export async function startWatchedService(
  database: DatabaseConfig,
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<WatchedService> {
  const password = randomBytes(16).toString('hex');
  const metricsPort = await freePort();
  const server = await startService(database, directory, {
    METRICS_PORT: String(metricsPort),
    METRICS_USERNAME: username,
    METRICS_PASSWORD: password,
    ...settings,
  });
  const headers = { Authorization: `Basic ${btoa(`${username}:${password}`)}` };

  async function fetchText(url: string, signal?: AbortSignal): Promise<string> {
    const answer = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${text}`);
    return text;
  }

  return {
    ...server,
    scrape: () => fetchText(`http://127.0.0.1:${metricsPort}/metrics`),
    async profile(seconds, signal) {
      await fetchText(`${server.url}/debug/pprof/profile?seconds=${seconds}`, signal);
    },
  };
}

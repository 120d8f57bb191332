/** The service with its operators' pages, requested as a scraper and a profiler do. */
import { randomBytes } from 'node:crypto';
import type { DatabaseConfig } from '../../src/config/config.ts';
import { freePort, type RunningServer } from './server.ts';
import { startService } from './service.ts';

export interface WatchedService extends RunningServer {
  /** Scrapes all processes on the port of the metrics. */
  scrape(): Promise<string>;
  /**
   * Over the port of the API. Rejects when it is broken off, and when a thread is missing in it.
   *
   * @param target what stands behind `/debug/pprof/`.
   */
  profile(target: string, signal?: AbortSignal): Promise<string>;
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
    const missing = answer.headers.get('x-pprof-missing');
    if (missing !== null) throw new Error(`${url}: without ${missing}`);
    return text;
  }

  return {
    ...server,
    scrape: () => fetchText(`http://127.0.0.1:${metricsPort}/metrics`),
    profile: (target, signal) => fetchText(`${server.url}/debug/pprof/${target}`, signal),
  };
}

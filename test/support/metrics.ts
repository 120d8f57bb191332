/** Metrics as a scraper sees them. */
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { assertDescribed } from './described.ts';

export interface Scrape {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** Value by series as it is written: `requests_total{method="GET",…}`. */
  readonly values: ReadonlyMap<string, number>;
  /** Type by family. */
  readonly types: ReadonlyMap<string, string>;
  /** The sum of the series of a name whose labels all are as given. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** Why metrics cannot be linted; `false`: they can. */
export const promtoolIsMissing: string | false =
  spawnSync('promtool', ['--version']).error === undefined
    ? false
    : 'promtool is not installed (Debian package prometheus)';

/** What promtool objects to: names that are promised, and not what it would call them. */
export const promisedNames = [
  "request_latency_histogram metric name should not include type 'histogram'",
  'tasks_count non-histogram and non-summary metrics should not have "_count" suffix',
];

/** What `promtool check metrics` says of a scrape, sorted. */
export function lintMetrics(text: string): string[] {
  const { stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

export interface ScrapeOptions {
  readonly path?: string;
  /** `null`: none. */
  readonly credentials?: string | null;
  readonly accept?: string;
}

export function scrape(port: number, options: ScrapeOptions = {}): Promise<Scrape> {
  const { path = '/metrics', credentials = 'admin:admin', accept } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port,
        path,
        host: '127.0.0.1',
        agent: false,
        ...(credentials === null ? {} : { auth: credentials }),
        headers: accept === undefined ? {} : { Accept: accept },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const contentType = String(response.headers['content-type']);
          const status = response.statusCode!;
          try {
            // The primary's own port is no part of the API, nor is a page that is moved or off.
            const isOfApi = response.headers['uwebsockets'] !== undefined && status !== 404;
            if (isOfApi && path === '/metrics') {
              const body: unknown = contentType.includes('json') ? JSON.parse(text) : text;
              assertDescribed('GET', path, { status, headers: response.headers, text, body });
            }
            resolve(parse(status, contentType, text));
          } catch (error) {
            reject(error);
          }
        });
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

function parse(status: number, contentType: string, text: string): Scrape {
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, family, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (family !== undefined) types.set(family, type!);
    const [, series, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (series !== undefined) values.set(series, Number(value));
  }
  return {
    status,
    contentType,
    text,
    values,
    types,
    sum(name, labels = {}) {
      let sum = 0;
      for (const [series, value] of values) {
        if (series !== name && !series.startsWith(`${name}{`)) continue;
        const fits = Object.entries(labels).every(([label, wanted]) =>
          new RegExp(`[{,]${label}="${wanted}"`).test(series),
        );
        if (fits) sum += value;
      }
      return sum;
    },
  };
}

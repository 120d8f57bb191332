/** Scrapes and checks metrics. */
import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { assertDescribed } from './described.ts';

export interface Scrape {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** The values by series, as written: `requests_total{method="GET",…}`. */
  readonly values: ReadonlyMap<string, number>;
  /** The types by family. */
  readonly types: ReadonlyMap<string, string>;
  /** The sum over the series of a name that have these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

/** Why metrics cannot be linted; `false`: they can. */
export const promtoolIsMissing: string | false =
  spawnSync('promtool', ['--version']).error === undefined
    ? false
    : 'promtool is not installed (Debian package prometheus)';

/** promtool's objections to names that are part of the contract. */
export const promisedNames = [
  "request_latency_histogram metric name should not include type 'histogram'",
  'tasks_count non-histogram and non-summary metrics should not have "_count" suffix',
];

/** The output of `promtool check metrics`, sorted. */
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
            // The API does not describe the primary's port, nor a page that was moved or is off.
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

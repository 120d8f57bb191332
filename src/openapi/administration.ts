/** The description of the operators' pages: metrics and profiles. */
import { describedMetricsPath } from '../contract/documents.ts';
import type { HeaderName } from './headers.ts';
import type { JsonObject } from './json.ts';

export interface AdministrationPage {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly JsonObject[];
  /** The media types of the response. */
  readonly types: readonly string[];
  readonly headers: readonly HeaderName[];
  /** Errors in plain text, as Go's tool shows them. */
  readonly refusals: Readonly<Record<string, string>>;
}

const profilesWhere =
  'Here and on METRICS_PORT, unless PPROF_ENABLED is false, in production if it is true. While the ' +
  'credentials are the default ones: for this machine alone, without';

/** In alphabetical order. */
export const profileNames = [
  'allocs',
  'block',
  'cmdline',
  'goroutine',
  'heap',
  'mutex',
  'profile',
  'symbol',
  'threadcreate',
  'trace',
] as const;

function query(name: string, description: string, schema: JsonObject, example: string | number) {
  return { name, in: 'query', description, schema: { ...schema, examples: [example] } };
}

export const administrationPages: readonly AdministrationPage[] = [
  {
    path: describedMetricsPath,
    operationId: 'getMetrics',
    summary: 'Metrics of all processes and threads',
    description: 'At METRICS_PATH, here and on METRICS_PORT; unless METRICS_ENABLED is false.',
    parameters: [],
    types: ['text/plain', 'application/openmetrics-text'],
    headers: [],
    refusals: {},
  },
  {
    path: '/debug/pprof/',
    operationId: 'getProfiles',
    summary: 'The profiles that there are',
    description: `${profilesWhere}.`,
    parameters: [],
    types: ['text/html'],
    headers: [],
    refusals: {},
  },
  {
    path: '/debug/pprof/{profile}',
    operationId: 'getProfile',
    summary: 'A profile of all processes and threads, for go tool pprof',
    description: `${profilesWhere}. One at a time.`,
    parameters: [
      {
        name: 'profile',
        in: 'path',
        required: true,
        description: 'What is looked at.',
        schema: { type: 'string', enum: profileNames, examples: ['profile'] },
      },
      query(
        'seconds',
        'For how long, where a profile takes time.',
        { type: 'integer', minimum: 1, maximum: 300 },
        5,
      ),
      query(
        'format',
        'Of the file.',
        { type: 'string', enum: ['pprof', 'cpuprofile', 'speedscope'], default: 'pprof' },
        'pprof',
      ),
      query('debug', '1: as text.', { type: 'integer', minimum: 0 }, 1),
      query(
        'gc',
        '1: the heap after what is not needed was collected.',
        { type: 'integer', minimum: 0 },
        1,
      ),
    ],
    types: ['application/octet-stream', 'application/json', 'text/plain'],
    headers: ['Content-Disposition', 'X-Pprof-Missing'],
    refusals: {
      '400': 'A parameter does not fit, or the request is not valid.',
      '404': 'There is no such profile.',
      '409': 'Another profile is being made.',
    },
  },
];

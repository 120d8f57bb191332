/**
 * Generates the description of the API (OpenAPI 3.1) from the table of endpoints, the schemas and
 * the problems that the service uses.
 */

import { ownVersion } from '../base/own-version.ts';
import { urlMaxBytes } from '../contract/limits.ts';
import { serversFor } from '../http/docs/described-servers.ts';
import { describeEndpoints } from './endpoint-paths.ts';
import { headers } from './headers.ts';
import { type JsonObject, plainJson } from './json.ts';
import { describePages } from './page-paths.ts';
import { parameters } from './parameters.ts';
import { createSchemas } from './schemas.ts';
import { createSharedAnswers } from './shared-responses.ts';

/** Operations stand on the first screen of Swagger UI: what is longer stands where it is needed. */
const introduction =
  'Tasks on PostgreSQL. A read that begins after a write was acknowledged shows that write. Answers have the ' +
  'keys `data`, `meta`, `message`, `errors` and `status`; with `Accept: application/problem+json` an error is RFC 9457.';

const everywhere =
  'What HTTP has on every resource. `/api/tasks/` is `/api/tasks`. An unknown path is 404 `not_found`, a known path ' +
  'with another method 405 `method_not_allowed` with `Allow`. A URL has at most ' +
  `${urlMaxBytes} bytes without the value of \`cursor\`. A 5xx tells no cause: it has a request id that the log has.`;

export function createOpenApi(): JsonObject {
  const shared = createSharedAnswers();
  const paths = { ...describeEndpoints(shared), ...describePages(shared) };
  return plainJson({
    openapi: '3.1.0',
    info: {
      title: 'Task manager API',
      version: ownVersion() ?? 'unknown',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // The service adds its configured address.
    servers: serversFor(''),
    security: [],
    tags: [
      { name: 'Tasks', description: 'What the service is for.' },
      { name: 'Health', description: 'For load balancers and supervisors.' },
      { name: 'Documents', description: 'The API about itself.' },
      { name: 'Administration', description: 'For operators.' },
      { name: 'HEAD and OPTIONS', description: everywhere },
    ],
    paths,
    components: {
      schemas: createSchemas(),
      parameters,
      headers,
      responses: shared.described(),
      securitySchemes: {
        metrics: {
          type: 'http',
          scheme: 'basic',
          description: 'METRICS_USERNAME and METRICS_PASSWORD.',
        },
      },
    },
  });
}

/**
 * Generates the description of the API (OpenAPI 3.1) from the table of endpoints, the schemas and
 * the problems that the service uses.
 */
import { bodyMaxBytes, jsonDepthMax, urlMaxBytes } from '../contract/limits.ts';
import { problemCodes } from '../contract/problems.ts';
import { serversFor } from '../http/docs/described-servers.ts';
import { describeEndpoints } from './endpoint-paths.ts';
import { headers } from './headers.ts';
import { type JsonObject, plainJson } from './json.ts';
import { describePages } from './page-paths.ts';
import { parameters } from './parameters.ts';
import { byStatus } from './responses.ts';
import { createSchemas } from './schemas.ts';
import { createSharedAnswers } from './shared-responses.ts';

const codeTable = [...byStatus(problemCodes)]
  .map(([status, codes]) => `| ${status} | ${codes.map((code) => `\`${code}\``).join(', ')} |`)
  .join('\n');

const introduction = `Tasks on PostgreSQL. Every answer with a body has the same five keys: \`data\`, \`meta\`,
\`message\`, \`errors\`, \`status\`. With \`Accept: application/problem+json\` an error is RFC 9457 instead.

**Freshness.** A list or a task read that begins after a write was acknowledged shows that write.

**Conditions.** \`If-None-Match\` on GET answers 304. \`If-Match\` and \`If-None-Match\` on PUT, PATCH and
DELETE are checked by the statement that writes. \`Idempotency-Key\` on POST makes a create happen once.

**Limits.** A body has at most ${bodyMaxBytes} bytes and nests at most ${jsonDepthMax} deep, a URL has at most
${urlMaxBytes} bytes without the value of \`cursor\`. A body comes with a Content-Length or in chunks; after chunks the
connection closes.

**Everywhere.** \`/api/tasks/\` is \`/api/tasks\`. An unknown path is 404 \`not_found\`; a known path with
another method is 405 \`method_not_allowed\` with \`Allow\`. A 5xx tells no cause: it carries a request id
that the log has, and 503 says when to try again.

| status | codes |
|---|---|
${codeTable}
`;

export function createOpenApi(): JsonObject {
  const shared = createSharedAnswers();
  const paths = { ...describeEndpoints(shared), ...describePages(shared) };
  return plainJson({
    openapi: '3.1.0',
    info: {
      title: 'Task manager API',
      version: '1.0.0',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // The service adds its configured address.
    servers: serversFor(''),
    security: [],
    tags: [
      { name: 'Tasks', description: 'What the service is for.' },
      { name: 'Health', description: 'For whoever balances load or restarts processes.' },
      { name: 'Documents', description: 'The API about itself.' },
      { name: 'Administration', description: 'For whoever runs the service.' },
      { name: 'HEAD and OPTIONS', description: 'What HTTP has on every resource.' },
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

/**
 * Checks responses against the API description: status, type, headers and body must match the
 * operation in docs/openapi.json.
 */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { formats } from '../../src/contract/formats.ts';
import { createOpenApi } from '../../src/openapi/openapi.ts';

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
}

interface Response {
  readonly headers: Readonly<Record<string, { readonly $ref: string }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Found {
  /** A JSON pointer to a response. */
  readonly pointer: string;
  readonly response: Response;
}

interface Expected {
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, { readonly isRequired: boolean; check: ValidateFunction }>;
  /** By media type. */
  readonly bodies: ReadonlyMap<string, ValidateFunction>;
}

const description = strict(createOpenApi());
const root = 'api';
const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat('date-time', formats['date-time']!.holds);
ajv.addSchema(description, root);

/** Headers of the connection or of HTTP itself, which the API does not describe. */
const transport = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'uwebsockets',
]);
/** The responses of every path, also of undescribed ones: see the introduction. */
const anywhere: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  404: 'NotFound',
  411: 'LengthRequired',
  414: 'UriTooLong',
  501: 'NotImplemented',
};
/** Only sent with SERVER_TIMING. */
const forDevelopers = new Set(['server-timing']);

const templates = Object.keys(description.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/, '[^/]*')}${path.includes('{') ? '' : '/?'}$`),
}));
const expectations = new Map<string, Expected>();

/** @param target the path and query as sent. */
export function assertDescribed(method: string, target: string, answer: Answered): void {
  const path = target.split('?')[0]!;
  const where = `${method} ${target.slice(0, 200)} ${answer.status}`;
  const found = findResponse(method, path, answer.status);
  if (found === undefined) {
    // A known path with another method, as described in the introduction.
    assert.equal(answer.status, 405, `${where} is not described`);
    assert.match(answer.headers.allow ?? '', /^[A-Z]+(, [A-Z]+)*$/, where);
    return;
  }
  const { headers, bodies } = expectedOf(found);
  for (const [name, { isRequired }] of headers) {
    assert.ok(!isRequired || answer.headers[name] !== undefined, `${where} lacks ${name}`);
  }
  for (const [name, value] of Object.entries(answer.headers)) {
    if (transport.has(name) || forDevelopers.has(name)) continue;
    // nginx, as the proxy in front, names itself.
    if (name === 'server' && /^nginx/.test(String(value))) continue;
    const header = headers.get(name);
    assert.ok(header !== undefined, `${where} has ${name}, which is not described`);
    assert.ok(
      header.check(value),
      `${where} ${name}: ${value} ${ajv.errorsText(header.check.errors)}`,
    );
  }
  if (method === 'HEAD') return;
  if (bodies.size === 0) {
    assert.equal(answer.text, '', `${where} has a body`);
    return;
  }
  const type = answer.headers['content-type']?.split(';')[0] ?? '';
  const check = bodies.get(type);
  assert.ok(check !== undefined, `${where} is ${type}, which is not described`);
  const text = () => `${where}: ${ajv.errorsText(check.errors)} ${answer.text.slice(0, 500)}`;
  if (!check(answer.body)) assert.fail(text());
}

function findResponse(method: string, path: string, status: number): Found | undefined {
  const template = templates.find(({ pattern }) => pattern.test(path))?.path;
  const operation =
    template === undefined ? undefined : description.paths[template]![method.toLowerCase()];
  if (template !== undefined && operation !== undefined) {
    const place = `#/paths/${pointerPart(template)}/${method.toLowerCase()}/responses/${status}`;
    const response = operation.responses[status];
    assert.ok(response !== undefined, `${method} ${template} answers ${status}: not described`);
    return '$ref' in response ? sharedResponse(response.$ref) : { pointer: place, response };
  }
  const name = anywhere[status];
  return name === undefined ? undefined : sharedResponse(`#/components/responses/${name}`);
}

function sharedResponse(pointer: string): Found {
  const response = description.components.responses[pointer.split('/').at(-1)!]!;
  return { pointer, response };
}

/** Compiled on first use. */
function expectedOf({ pointer, response }: Found): Expected {
  const known = expectations.get(pointer);
  if (known !== undefined) return known;
  const expected: Expected = {
    headers: new Map(
      Object.entries(response.headers).map(([name, { $ref }]) => {
        const { required = false } = description.components.headers[$ref.split('/').at(-1)!]!;
        return [name.toLowerCase(), { isRequired: required, check: compile(`${$ref}/schema`) }];
      }),
    ),
    bodies: new Map(
      Object.keys(response.content ?? {}).map((type) => [
        type,
        compile(`${pointer}/content/${pointerPart(type)}/schema`),
      ]),
    ),
  };
  expectations.set(pointer, expected);
  return expected;
}

function compile(pointer: string): ValidateFunction {
  return ajv.getSchema(`${root}${pointer}`) ?? ajv.compile({ $ref: `${root}${pointer}` });
}

/** RFC 6901, in a URI fragment. */
function pointerPart(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

interface Description {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>> }
        >
      >
    >
  >;
  readonly components: {
    readonly responses: Readonly<Record<string, Response>>;
    readonly headers: Readonly<Record<string, { readonly required?: boolean }>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
}

/** Clients must ignore unknown fields; these tests must not. */
function strict(document: object): Description {
  const copy = structuredClone(document) as unknown as Description & {
    components: { schemas: Record<string, object> };
  };
  copy.components.schemas['Task'] = {
    ...copy.components.schemas['Task'],
    additionalProperties: false,
  };
  return copy;
}

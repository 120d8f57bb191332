/**
 * Generates TypeScript types for clients: the schemas, and each operation's input and responses.
 */
import type { Json, JsonObject } from './json.ts';

const heading = `/** Written by make doc from docs/openapi.json: change that, not this. */

/** A problem whose faults have only these codes. */
export type ProblemOf<Code extends Fault['code']> = Omit<Problem, 'errors'> & {
  readonly errors: readonly (Omit<Fault, 'code'> & { readonly code: Code })[];
};
`;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Tags that clients of the API do not need. */
const leftOut = ['Documents', 'Administration'];

interface Named {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly operation: JsonObject;
}

/** @param description the complete OpenAPI document of this service. */
export function clientTypes(description: JsonObject): string {
  const components = description['components'] as JsonObject;
  const types = Object.entries(components['schemas'] as JsonObject).map(
    ([name, schema]) => `${comment(schema)}export type ${name} = ${typeOf(schema)};\n`,
  );
  const named = listOperations(description);
  const operations = named.map(({ id, operation }) => {
    const input = inputOf(operation, components);
    const answers = answersOf(operation, components);
    return `  readonly ${id}: {\n    readonly input: ${input};\n    readonly answer:${answers};\n  };\n`;
  });
  const routes = named.map(
    ({ id, method, path }) => `  ${id}: { method: '${method}', path: '${path}' },\n`,
  );
  return [
    heading,
    ...types,
    `export interface Operations {\n${operations.join('')}}\n`,
    `export const routes = {\n${routes.join('')}} as const satisfies Readonly<\n` +
      '  Record<keyof Operations, { method: string; path: string }>\n>;\n',
  ].join('\n');
}

function listOperations(description: JsonObject): Named[] {
  const named: Named[] = [];
  for (const [path, item] of Object.entries(description['paths'] as JsonObject)) {
    for (const method of methods) {
      const operation = (item as JsonObject)[method] as JsonObject | undefined;
      if (operation === undefined) continue;
      if (leftOut.includes((operation['tags'] as readonly string[])[0]!)) continue;
      named.push({
        id: operation['operationId'] as string,
        method: method.toUpperCase(),
        path,
        operation,
      });
    }
  }
  return named;
}

function inputOf(operation: JsonObject, components: JsonObject): string {
  const groups: Record<string, string[]> = { path: [], query: [], header: [] };
  let needsPath = false;
  for (const reference of operation['parameters'] as readonly JsonObject[]) {
    const parameter = resolve(reference, components);
    const { name, in: place, required, schema } = parameter as Record<string, Json>;
    if (place === 'path') needsPath = true;
    groups[place as string]!.push(
      `readonly ${quote(name as string)}${required === true ? '' : '?'}: ${typeOf(schema!)}`,
    );
  }
  const fields = [
    ...(needsPath ? [`readonly path: ${group(groups['path']!)}`] : []),
    ...(groups['query']!.length > 0 ? [`readonly query?: ${group(groups['query']!)}`] : []),
    ...(groups['header']!.length > 0 ? [`readonly headers?: ${group(groups['header']!)}`] : []),
  ];
  const body = operation['requestBody'] as JsonObject | undefined;
  if (body !== undefined) fields.push(`readonly body: ${typeOf(jsonSchemaOf(body)!)}`);
  return group(fields);
}

function answersOf(operation: JsonObject, components: JsonObject): string {
  return Object.entries(operation['responses'] as JsonObject)
    .map(([status, reference]) => {
      const schema = jsonSchemaOf(resolve(reference as JsonObject, components));
      const body = schema === undefined ? 'null' : typeOf(schema);
      return `\n      | { readonly status: ${status}; readonly headers: Headers; readonly body: ${body} }`;
    })
    .join('');
}

/** The first JSON media type: a patch has two with the same schema. */
function jsonSchemaOf(holder: JsonObject): Json | undefined {
  const content = holder['content'] as Readonly<Record<string, JsonObject>> | undefined;
  return content === undefined ? undefined : Object.values(content)[0]!['schema'];
}

function resolve(value: JsonObject, components: JsonObject): JsonObject {
  const reference = value['$ref'];
  if (typeof reference !== 'string') return value;
  const [, , group, name] = reference.split('/') as [string, string, string, string];
  return (components[group] as JsonObject)[name] as JsonObject;
}

function typeOf(schema: Json): string {
  const {
    $ref,
    allOf,
    anyOf,
    const: constant,
    enum: values,
    type,
    properties,
    items,
    required,
  } = schema as Readonly<Record<string, Json | undefined>>;
  if (typeof $ref === 'string') return $ref.split('/').at(-1)!;
  if (Array.isArray(allOf)) return narrowed(allOf as readonly JsonObject[]);
  // Of an object it says which fields must be there: types cannot.
  if (Array.isArray(anyOf) && type === undefined) return anyOf.map(typeOf).join(' | ');
  if (constant !== undefined) return literal(constant);
  if (Array.isArray(values)) return values.map(literal).join(' | ');
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly (${items === undefined ? 'unknown' : typeOf(items)})[]`;
    case 'object':
      return objectType((properties ?? {}) as JsonObject, (required ?? []) as readonly string[]);
    default:
      return 'unknown';
  }
}

function objectType(properties: JsonObject, required: readonly string[]): string {
  const fields = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? '' : '?';
    return `  ${comment(schema, '  ')}readonly ${quote(name)}${optional}: ${typeOf(schema)};\n`;
  });
  return fields.length === 0 ? 'Readonly<Record<string, unknown>>' : `{\n${fields.join('')}}`;
}

/** Only the codes of the status narrow a problem. */
function narrowed([whole, part]: readonly JsonObject[]): string {
  const errors = (part!['properties'] as JsonObject)['errors'] as JsonObject;
  const { code } = (errors['items'] as JsonObject)['properties'] as Record<string, JsonObject>;
  const codes = (code!['enum'] as readonly Json[]).map(literal).join(' | ');
  return `${typeOf(whole!)}Of<${codes}>`;
}

function group(fields: readonly string[]): string {
  return fields.length === 0 ? 'Readonly<Record<string, never>>' : `{ ${fields.join('; ')} }`;
}

function comment(schema: Json, indent = ''): string {
  const { description } = schema as { readonly description?: string };
  return description === undefined ? '' : `/** ${description} */\n${indent}`;
}

function literal(value: Json): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function quote(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`;
}

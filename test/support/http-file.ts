/** Parses a file of requests for editors, such as docs/requests.http. */
import { readFileSync } from 'node:fs';

export interface FileRequest {
  readonly name: string;
  /** From the line `# answers …`. */
  readonly status: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface HttpFile {
  /** The lines `@name = value`. */
  readonly variables: Readonly<Record<string, string>>;
  /** @param values replace some of the variables. */
  requests(values?: Readonly<Record<string, string>>): FileRequest[];
}

/** Throws for a request without `# answers` or with an unknown variable. */
export function readHttpFile(file: string): HttpFile {
  const [head = '', ...parts] = readFileSync(file, 'utf8').split(/^### ?/m);
  const variables = Object.fromEntries(
    [...head.matchAll(/^@(\w+) = (.*)$/gm)].map(([, name, value]) => [name, value!] as const),
  );
  return {
    variables,
    requests: (values = {}) => parts.map((part) => parse(part, { ...variables, ...values })),
  };
}

function parse(part: string, values: Readonly<Record<string, string>>): FileRequest {
  const text = part.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`{{${name}}} has no value`);
    return value;
  });
  const [name = '', ...lines] = text.trim().split('\n');
  const status = /^# answers (\d{3})$/.exec(lines[0] ?? '')?.[1];
  const [method, url] = (lines[1] ?? '').split(' ');
  if (status === undefined || method === undefined || url === undefined) {
    throw new Error(`${name}: expected a line "# answers …" and a line with method and URL`);
  }
  const empty = lines.indexOf('');
  const headerLines = lines.slice(2, empty < 0 ? undefined : empty);
  return {
    name,
    status: Number(status),
    method,
    url,
    headers: Object.fromEntries(
      headerLines.map((line) => [line.split(': ', 1)[0]!, line.slice(line.indexOf(': ') + 2)]),
    ),
    body: empty < 0 ? undefined : lines.slice(empty + 1).join('\n'),
  };
}

/** Checks responses received as bytes or with fetch against the API description. */
import { assertDescribed } from './described.ts';
import { isParsersPage } from './parser.ts';
import type { RawAnswer } from './raw-socket.ts';

interface Asked {
  readonly method: string;
  readonly target: string;
}

const requestLine = /^([A-Z]+) (\/\S*) HTTP\/1\.1\r\n/;

/**
 * @param sent all bytes that were sent on a connection.
 * @param answers all responses, in order. Responses to bytes that are not a plain request are
 * skipped, because their operation is unknown.
 */
export function assertBytesDescribed(sent: string, answers: readonly RawAnswer[]): void {
  const asked = requestsIn(sent);
  const final = answers.filter(({ status }) => status !== 100);
  for (const [place, { status, headers, body: text }] of final.entries()) {
    const request = asked[place];
    if (request === undefined || isParsersPage({ status, headers })) return;
    const isJson = headers.get('content-type')?.includes('json') === true;
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    const answer = { status, headers: Object.fromEntries(headers), text, body };
    assertDescribed(request.method, request.target, answer);
  }
}

export async function assertFetchedDescribed(
  method: string,
  target: string,
  response: Response,
): Promise<void> {
  const text = await response.clone().text();
  const headers = Object.fromEntries(response.headers);
  const isJson = headers['content-type']?.includes('json') === true;
  const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
  assertDescribed(method, target, { status: response.status, headers, text, body });
}

/** The requests up to the first one whose end is ambiguous. */
function requestsIn(sent: string): Asked[] {
  const asked: Asked[] = [];
  for (let at = 0; at < sent.length; ) {
    const [line, method, target] = requestLine.exec(sent.slice(at)) ?? [];
    if (line === undefined) break;
    asked.push({ method: method!, target: target! });
    const end = sent.indexOf('\r\n\r\n', at);
    const fields = sent.slice(at, Math.max(at, end)).split('\r\n').slice(1);
    const lengths = fields.filter((field) => /^content-length:/i.test(field));
    const isPlain = fields.every((field) => /^[\w-]+:/.test(field) && !/^transfer-/i.test(field));
    const length = Number(lengths[0]?.split(':')[1] ?? 0);
    if (end < 0 || !isPlain || lengths.length > 1 || !Number.isSafeInteger(length)) break;
    at = end + 4 + length;
  }
  return asked;
}

/**
 * Chunked bodies as bytes: what uWebSockets.js accepts and how the service responds, with every
 * case of smuggling after or inside chunks. uWebSockets.js reads some sizes differently from RFC
 * 9112. So a chunked request must be the last one on its connection.
 */
import {
  byParser,
  ends,
  type FramingCase,
  get,
  host,
  json,
  type Outcome,
  post,
  type Row,
  refusedForGood,
  rows,
  size,
  smuggled,
  waits,
} from './framing-parts.ts';

const coding = 'Transfer-Encoding: chunked\r\n';
const last = '0\r\n\r\n';
const bodyMax = 128 * 1024;

const created: Outcome = { answers: [201], afterwards: 'ends', creates: 1 };
const refused = refusedForGood;
/** The response arrives before the next part is sent. */
const later = { pause: 400 };

function chunk(data: string): string {
  return `${size(data).toString(16)}\r\n${data}\r\n`;
}

/** @param wire the bytes after the head. */
function chunked(wire: string, headers = ''): string {
  return post(headers, wire, coding);
}

function of(method: string, path: string, headers = '', wire = chunk(json()) + last): string {
  return `${method} ${path} HTTP/1.1\r\n${host}${coding}${headers}\r\n${wire}`;
}

/**
 * A body of `bodyBytes`, padded with spaces after the JSON, in chunks; the title is in one chunk.
 */
function inPieces(bodyBytes: number, chunkBytes: number): string {
  let wire = chunk(json());
  for (let left = bodyBytes - size(json()); left > 0; left -= chunkBytes) {
    wire += chunk(' '.repeat(Math.min(left, chunkBytes)));
  }
  return wire + last;
}

const digits = size(json()).toString(16);
/** With another size line of the only chunk. */
function sized(line: string): string {
  return chunked(`${line}${json()}\r\n${last}`);
}

/** A valid request, split before each byte. */
function splits(): FramingCase[] {
  const whole = chunked(chunk(json().slice(0, 9)) + chunk(json().slice(9)) + last);
  return Array.from({ length: whole.length - 1 }, (_, before) => ({
    name: `chunks: split before byte ${before + 1}`,
    send: [whole.slice(0, before + 1), whole.slice(before + 1)],
    // The service responds before the empty line after the last chunk.
    outcome: created,
  }));
}

const sizes: readonly Row[] = [
  ['one', chunked(chunk(json()) + last), created],
  ['of one byte each', chunked(inPieces(200, 1)), created],
  ['of seven bytes each', chunked(inPieces(200, 7)), created],
  [
    'the coding in capitals',
    post('', chunk(json()) + last, 'TRANSFER-ENCODING: CHUNKED\r\n'),
    created,
  ],
  [
    'the coding in mixed case',
    post('', chunk(json()) + last, 'transfer-encoding: Chunked\r\n'),
    created,
  ],
  [
    'the coding behind a tab',
    post('', chunk(json()) + last, 'Transfer-Encoding:\tchunked \r\n'),
    created,
  ],
  // uWebSockets.js trims such bytes at both ends of a value.
  [
    'the coding before a byte beyond ASCII: not seen',
    post('', chunk(json()) + last, 'Transfer-Encoding: chunked\xff\r\n'),
    created,
  ],
  ['size in capitals', sized(`${digits.toUpperCase()}\r\n`), created],
  ['size with leading zeros', sized(`000000000000${digits}\r\n`), created],
  ['last size with leading zeros', chunked(`${chunk(json())}0000\r\n\r\n`), created],
  ['size with spaces behind it', sized(`${digits}  \r\n`), created],
  ['size with a byte beyond ASCII behind it: not seen', sized(`${digits}\xff\r\n`), created],
  ['size ended by a line feed alone', sized(`${digits}\n`), created],
  ['every line ended by a line feed alone', chunked(`${digits}\n${json()}\n0\n\n`), created],
  ['no line end behind the content', chunked(`${digits}\r\n${json()}XX${last}`), created],
  ['none behind the last size', chunked(`${chunk(json())}0\r\n`), created],
  // The size is read as 0, so the body ends there.
  ['size behind a space', sized(` ${digits}\r\n`), refused(400)],
  ['no size', sized('\r\n'), refused(400)],
  ['no content', chunked(last), refused(400)],
  ['size one too small', sized(`${(size(json()) - 1).toString(16)}\r\n`), refused(400)],
  ['size with a minus', sized(`-${digits}\r\n`), byParser(400), ends],
  ['size with a plus', sized(`+${digits}\r\n`), byParser(400), ends],
  ['size with 0x', sized(`0x${digits}\r\n`), byParser(400), ends],
  ['size in words', sized('many\r\n'), byParser(400), ends],
  ['size of nine digits', sized('fffffffff\r\n'), waits, ends],
  [
    'size of 2^64 and some',
    sized(`10000000000000${digits.padStart(3, '0')}\r\n`),
    byParser(400),
    ends,
  ],
  // uWebSockets.js reads the letter after f as 16: these sizes overflow to 0 in 32 and 64 bits.
  ['size that overflows to nothing in 32 bits', sized('ffffffg0\r\n'), waits, refused(400)],
  ['size that overflows to nothing', sized(`${'f'.repeat(14)}g0\r\n`), refused(400), ends],
  ['size with a letter beyond f', sized(`${digits}g\r\n`), waits],
];

/** An extension of only the letters a to g, `;` and `=` is read as more digits. */
const extensions: readonly Row[] = [
  ['extension behind a space', sized(`${digits} ;a=b\r\n`), created],
  ['extension in quotes behind a space', sized(`${digits} ;n="v; w"\r\n`), created],
  ['extension', sized(`${digits};name=value\r\n`), byParser(400), ends],
  ['extension in quotes', sized(`${digits};n="v"\r\n`), byParser(400), ends],
  ['extension that reads as digits', sized(`${digits};a\r\n`), waits],
  ['extension of the last', chunked(`${chunk(json())}0;name=value\r\n\r\n`), byParser(400), ends],
  ['trailer', chunked(`${chunk(json())}0\r\nX-Checksum: abc\r\n\r\n`), byParser(505), created],
  [
    'trailer, later',
    [chunked(`${chunk(json())}0\r\n`), 'X-Checksum: abc\r\n\r\n'],
    { ...created, ...later },
  ],
  [
    'two trailers',
    chunked(`${chunk(json())}0\r\nA: b\r\nContent-Length: 5\r\n\r\n`),
    byParser(505),
    created,
  ],
];

const hidden: readonly Row[] = [
  ['a request behind the last', chunked(chunk(json()) + last) + smuggled, ends],
  ['a removal behind the last', chunked(chunk(json()) + last) + removal(), ends],
  [
    'a request behind the last, later',
    [chunked(chunk(json()) + last), smuggled],
    { ...created, ...later },
  ],
  [
    'a removal behind the last, later',
    [chunked(chunk(json()) + last), removal()],
    { ...created, ...later },
  ],
  ['a request in the content', chunked(chunk(smuggled) + last), refused(400)],
  [
    'a removal in the content, cut off by an empty line',
    chunked(`\r\n\r\n${removal()}${last}`),
    ends,
  ],
  [
    'a request behind a trailer',
    chunked(`${chunk(json())}0\r\nA: b\r\n\r\n`) + smuggled,
    byParser(505),
    created,
  ],
  // The two bytes after the last size are skipped, whatever they are.
  ['a request as a trailer', chunked(`${chunk(json())}0\r\nA:${smuggled}`), ends],
  [
    'a removal as a trailer, later',
    [chunked(`${chunk(json())}0\r\n`), `A:${removal()}`],
    { ...created, ...later },
  ],
  [
    'a request in an extension',
    chunked(`${digits} ;${smuggled}${json()}\r\n${last}`),
    byParser(400),
    ends,
  ],
  [
    'a removal behind a size that overflows to nothing',
    chunked(`${'f'.repeat(14)}g0\r\n\r\n${removal()}`),
    ends,
  ],
  [
    'a removal behind a size that overflows to nothing in 32 bits',
    chunked(`ffffffg0\r\n\r\n${removal()}`),
    waits,
    ends,
  ],
  [
    'a removal behind no size, later',
    [chunked('\r\n\r\n'), removal()],
    { ...refused(400), ...later },
  ],
  [
    'a request behind a size that is too small',
    chunked(`1\r\n${json()}\r\n${last}`) + smuggled,
    byParser(400),
    ends,
  ],
  [
    'a request inside a size that is too large',
    chunked(`${(size(json()) + 60).toString(16)}\r\n${json()}\r\n${last}`) + smuggled,
    byParser(400),
    ends,
  ],
  ['a request behind chunks on GET', of('GET', '/api/tasks') + smuggled, ends],
  [
    'a request behind chunks on GET, later',
    [of('GET', '/api/tasks?per_page=1'), smuggled],
    { answers: [200], afterwards: 'ends', ...later },
  ],
  [
    'a removal behind chunks on HEAD, later',
    [of('HEAD', '/api/tasks'), removal()],
    { answers: [200], heads: [0], afterwards: 'ends', ...later },
  ],
  [
    'a removal behind chunks on OPTIONS, later',
    [of('OPTIONS', '/api/tasks'), removal()],
    { answers: [204], afterwards: 'ends', ...later },
  ],
  [
    'a removal behind chunks on DELETE, later',
    [of('DELETE', '/api/tasks/999999999'), removal()],
    { ...refused(404), ...later },
  ],
  [
    'a removal behind chunks that are not sent again',
    [of('GET', '/api/tasks', 'If-None-Match: *\r\n'), removal()],
    { answers: [304], afterwards: 'ends', ...later },
  ],
  [
    'a request behind what is too large, later',
    [chunked(inPieces(bodyMax + 1, 4096)), smuggled],
    { ...refused(413), ...later },
  ],
];

function removal(): string {
  return `DELETE /api/tasks/1 HTTP/1.1\r\n${host}\r\n`;
}

const requests: readonly Row[] = [
  ['on PUT', of('PUT', '/api/tasks/999999999'), refused(404)],
  ['on PATCH', of('PATCH', '/api/tasks/999999999'), refused(404)],
  ['on GET', of('GET', '/livez'), { answers: [200], afterwards: 'ends' }],
  ['on HEAD', of('HEAD', '/livez'), { answers: [200], heads: [0], afterwards: 'ends' }],
  ['on HEAD of nothing', of('HEAD', '/nothing'), { ...refused(404), heads: [0] }],
  ['on DELETE', of('DELETE', '/api/tasks/999999999'), refused(404)],
  ['on OPTIONS', of('OPTIONS', '/api/tasks'), { answers: [204], afterwards: 'ends' }],
  ['on TRACE', of('TRACE', '/api/tasks'), refused(405)],
  ['on a path that is not there', of('POST', '/nothing'), refused(404)],
  ['on a method that is not there', of('PUT', '/api/tasks'), refused(405)],
  ['of a long URL', of('POST', `/api/tasks?_=${'x'.repeat(2048)}`), refused(414)],
  ['of another type', chunked(chunk(json()) + last, 'Content-Type: text/plain\r\n'), refused(415)],
  [
    'that are compressed',
    chunked(chunk(json()) + last, 'Content-Encoding: gzip\r\n'),
    refused(415),
  ],
  [
    'with a malformed condition',
    of('PUT', '/api/tasks/999999999', 'If-Match: x\r\n'),
    refused(400),
  ],
  ['with a malformed key', chunked(chunk(json()) + last, 'Idempotency-Key:\r\n'), refused(400)],
  ['with two hosts', chunked(chunk(json()) + last, host), byParser(400), refused(400)],
  [
    'without a name before the coding',
    post(`: x\r\n${coding}`, '', '') + chunk(json()) + last,
    refused(411),
  ],
  [
    'behind another request',
    get('/livez') + chunked(chunk(json()) + last),
    { answers: [200, 201], afterwards: 'ends', creates: 1 },
  ],
  [
    'that expect 100-continue',
    [chunked('', 'Expect: 100-continue\r\n'), chunk(json()) + last],
    { answers: [100, 201], afterwards: 'ends', creates: 1 },
  ],
  ['at the limit', chunked(chunk(json().padEnd(bodyMax)) + last), created],
  ['at the limit, of 4 KiB each', chunked(inPieces(bodyMax, 4096)), created],
  ['at the limit, of 3 bytes each', chunked(inPieces(bodyMax, 3)), created],
  ['one byte above the limit', chunked(chunk(json().padEnd(bodyMax + 1)) + last), refused(413)],
  [
    'above the limit, on GET',
    of('GET', '/livez', '', chunk('x'.repeat(bodyMax + 1)) + last),
    { answers: [200], afterwards: 'ends' },
  ],
  ['of half a MiB', chunked(inPieces(512 * 1024, 16 * 1024)), refused(413)],
  [
    'byte by byte',
    [...chunked(chunk(json().slice(0, 9)) + chunk(json().slice(9)) + last)],
    { ...created, pause: 3 },
  ],
  [
    'that pause inside',
    [chunked(`${digits}\r\n${json().slice(0, 9)}`), `${json().slice(9)}\r\n${last}`],
    { ...created, pause: 1500 },
  ],
  ['that pause before the last', [chunked(chunk(json())), last], { ...created, pause: 1500 }],
  ['that never come', chunked(''), waits],
  ['whose last never comes', chunked(chunk(json())), waits],
  ['whose content never comes', chunked(`${digits}\r\n{`), waits],
  ['whose client goes away inside', chunked(`${digits}\r\n{`), { ...ends, hangUp: 'reset' }],
  ['whose client goes away before the last', chunked(chunk(json())), { ...ends, hangUp: 'reset' }],
  [
    'whose client goes away before the answer',
    chunked(chunk(json()) + last),
    { ...ends, creates: 'perhaps', hangUp: 'reset' },
  ],
  ['whose client ends its half inside', chunked(`${digits}\r\n{`), { ...ends, hangUp: 'half' }],
];

export const chunkCases: readonly FramingCase[] = [
  ...splits(),
  ...rows('chunks', sizes),
  ...rows('chunks', extensions),
  ...rows('chunks, hidden', hidden),
  ...rows('chunks', requests),
];

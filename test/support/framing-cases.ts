/**
 * Requests as bytes, and the expected responses. Where uWebSockets.js responds itself, or not at
 * all, the case records that: such a request must have no effect.
 */
import { chunkCases } from './chunk-cases.ts';
import {
  byParser,
  created,
  ends,
  type FramingCase,
  get,
  host,
  json,
  marker,
  type Outcome,
  ok,
  post,
  type Row,
  refused,
  refusedForGood,
  rows,
  size,
  smuggled,
  waits,
} from './framing-parts.ts';

/** A valid request, split before each byte. */
function splits(): FramingCase[] {
  const whole = post('Content-Type: application/json\r\n', json(',"status":"done"'));
  return Array.from({ length: whole.length - 1 }, (_, before) => ({
    name: `split: before byte ${before + 1}`,
    send: [whole.slice(0, before + 1), whole.slice(before + 1)],
    outcome: created,
  }));
}

const lengths = rows('Content-Length', [
  ['as it should be', post(''), created],
  ['with leading zeros', post('', json(), `Content-Length: 000${size(json())}\r\n`), created],
  ['with spaces around it', post('', json(), `Content-Length:   ${size(json())}  \r\n`), created],
  ['none', post('', '', ''), refusedForGood(411)],
  // There is no body (RFC 9112, section 6.3), but the client may mean the next bytes as one.
  ['none, and a request behind it', post('', '', '') + smuggled, ends],
  ['none, and a body', post('', json(), ''), refusedForGood(411)],
  ['none on PUT', `PUT /api/tasks/1 HTTP/1.1\r\n${host}\r\n`, refusedForGood(411)],
  [
    'none on PUT, and a request behind it',
    `PUT /api/tasks/1 HTTP/1.1\r\n${host}\r\n${smuggled}`,
    ends,
  ],
  ['none on PATCH', `PATCH /api/tasks/1 HTTP/1.1\r\n${host}\r\n`, refusedForGood(411)],
  [
    'none, behind a header without a name',
    post(`: x\r\nContent-Length: ${size(smuggled)}\r\n`, '', '') + smuggled,
    ends,
  ],
  ['none on a path that is not there', `POST /nothing HTTP/1.1\r\n${host}\r\n`, refused(404)],
  ['none on a method that is not there', `PUT /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(405)],
  [
    'of sixteen digits',
    post('', json(), `Content-Length: ${'9'.repeat(16)}\r\n`),
    { answers: [413], afterwards: 'waits' },
    ends,
  ],
  [
    'with thirty leading zeros',
    post('', json(), `Content-Length: ${'0'.repeat(30)}${size(json())}\r\n`),
    byParser(400),
    ends,
  ],
  ['empty', post('', '', 'Content-Length:\r\n'), refusedForGood(400)],
  ['empty, and a request behind it', post('', '', 'Content-Length:\r\n') + smuggled, ends],
  ['twice the same', post(`Content-Length: ${size(json())}\r\n`), refusedForGood(400)],
  ['twice, first right', post('Content-Length: 0\r\n'), refusedForGood(400)],
  [
    'twice, first 0',
    post(`Content-Length: ${size(json())}\r\n`, json(), 'Content-Length: 0\r\n') + smuggled,
    ends,
  ],
  ['twice, second empty', post('Content-Length:\r\n'), refusedForGood(400)],
  [
    'a list',
    post('', json(), `Content-Length: ${size(json())}, ${size(json())}\r\n`) + smuggled,
    byParser(400),
    ends,
  ],
  [
    'with a plus',
    post('', json(), `Content-Length: +${size(json())}\r\n`) + smuggled,
    byParser(400),
    ends,
  ],
  ['with a minus', post('', json(), 'Content-Length: -1\r\n') + smuggled, byParser(400), ends],
  ['hexadecimal', post('', json(), 'Content-Length: 0x1d\r\n') + smuggled, byParser(400), ends],
  ['with an exponent', post('', json(), 'Content-Length: 2e1\r\n') + smuggled, byParser(400), ends],
  ['with a point', post('', json(), 'Content-Length: 29.0\r\n') + smuggled, byParser(400), ends],
  [
    'with a space inside',
    post('', json(), 'Content-Length: 2 9\r\n') + smuggled,
    byParser(400),
    ends,
  ],
  ['words', post('', json(), 'Content-Length: many\r\n') + smuggled, byParser(400), ends],
  [
    'of twenty digits',
    post('', json(), `Content-Length: ${'9'.repeat(20)}\r\n`) + smuggled,
    byParser(400),
    ends,
  ],
  [
    'of 2^64 and some',
    post('', json(), 'Content-Length: 18446744073709551645\r\n') + smuggled,
    byParser(400),
    ends,
  ],
  [
    'of 2^32 and some',
    post('', json(), 'Content-Length: 4294967325\r\n') + smuggled,
    { answers: [413], afterwards: 'waits' },
    ends,
  ],
  ['on GET, with a body', `${get('/livez', 'Content-Length: 5\r\n')}hello`, ok],
  [
    'on GET, twice',
    `${get('/api/tasks', 'Content-Length: 5\r\nContent-Length: 0\r\n')}hello`,
    refusedForGood(400),
  ],
  ['on GET, empty', get('/api/tasks', 'Content-Length:\r\n'), refusedForGood(400)],
  ['on GET, negative', get('/api/tasks', 'Content-Length: -5\r\n') + smuggled, byParser(400), ends],
  [
    'on GET, of a body that is a request',
    get('/livez', `Content-Length: ${size(smuggled)}\r\n`) + smuggled,
    ok,
  ],
  [
    'on HEAD, with a body',
    `HEAD /livez HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
    { ...ok, heads: [0] },
  ],
  [
    'on DELETE, with a body',
    `DELETE /api/tasks/999999999 HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
    refused(404),
  ],
  [
    'on OPTIONS, with a body',
    `OPTIONS /api/tasks HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
    refused(204),
  ],
  [
    'on an unknown path, with a body',
    `POST /nothing HTTP/1.1\r\n${host}Content-Length: ${size(smuggled)}\r\n\r\n${smuggled}`,
    refused(404),
  ],
  [
    'on a method that is not there, with a body',
    `PUT /api/tasks HTTP/1.1\r\n${host}Content-Length: ${size(smuggled)}\r\n\r\n${smuggled}`,
    refused(405),
  ],
  ['0 on POST', post('', ''), refused(400)],
  // uWebSockets.js trims such bytes at both ends of a value.
  [
    'with a byte beyond ASCII before it: not seen',
    post('', json(), `Content-Length: \xff${size(json())}\r\n`),
    created,
  ],
  [
    'with a byte beyond ASCII behind it: not seen',
    post('', json(), `Content-Length: ${size(json())}\xff\r\n`),
    created,
  ],
]);

/** uWebSockets.js reads each of these as chunked. */
const others = [
  'identity',
  'gzip',
  'xchunked',
  'chunkedx',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, chunked',
  'chunked,',
  'chunked;q=1',
  '"chunked"',
  'chun ked',
  'chunked\x7f',
  // The Kelvin sign, which matches `k` if case is ignored.
  'chun\xe2\x84\xaaed',
];

const zeros = '\0'.repeat(64);
/** The parser takes the bytes for the start of another request and waits for the rest. */
const createdAndWaits: Outcome = { answers: [201], afterwards: 'waits', creates: 1 };

/**
 * Bytes after a request. If the parser rejects them in the same segment, the request has no effect.
 */
const surplus = rows('surplus behind', [
  ['a body: a line feed', `${post('')}\n`, createdAndWaits],
  ['a body: an empty line', `${post('')}\r\n`, createdAndWaits],
  [
    'a body: zeros, later',
    [post(''), zeros],
    { ...byParser(505), answers: [201, 505], creates: 1, pause: 400 },
    { ...createdAndWaits, pause: 400 },
  ],
  [
    'a body that is longer than it says',
    post('', json(), `Content-Length: ${size(json()) - 1}\r\n`),
    { answers: [400], afterwards: 'waits' },
  ],
  ['a body: zeros', post('') + zeros, byParser(505), createdAndWaits],
  [
    'a body: a request without a host',
    `${post('')}GET / HTTP/1.1\r\nA: b\r\n\r\n`,
    byParser(400),
    { ...ends, creates: 'perhaps' },
  ],
  [
    'a removal: zeros',
    `DELETE /api/tasks/999999999 HTTP/1.1\r\n${host}\r\n${zeros}`,
    byParser(505),
    { answers: [404], afterwards: 'waits' },
  ],
  ['a list: zeros', get('/api/tasks') + zeros, byParser(505), { ...ok, afterwards: 'waits' }],
  [
    'what is answered at once: zeros',
    // The parser writes its page after the response still in its buffer, and closes.
    get('/livez') + zeros,
    byParser(505),
    { ...ok, afterwards: 'waits' },
  ],
]);

const codings = rows('Transfer-Encoding', [
  [
    'chunked, without any content',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'),
    refusedForGood(400),
  ],
  [
    'chunked, and a request behind it',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\n') + smuggled,
    ends,
  ],
  ['in capitals', post('', '0\r\n\r\n', 'TRANSFER-ENCODING: CHUNKED\r\n') + smuggled, ends],
  ['identity', post('', '', 'Transfer-Encoding: identity\r\n') + smuggled, byParser(400), ends],
  ['unknown', post('', '', 'Transfer-Encoding: xchunked\r\n') + smuggled, byParser(400), ends],
  ['gzip, chunked', post('', '0\r\n\r\n', 'Transfer-Encoding: gzip, chunked\r\n') + smuggled, ends],
  [
    'twice',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n') +
      smuggled,
    ends,
  ],
  ['empty', post('', '', 'Transfer-Encoding:\r\n') + smuggled, ends],
  ['empty, with a length', post('Transfer-Encoding:\r\n'), refusedForGood(400)],
  [
    'beside a length',
    post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n') + smuggled,
    byParser(400),
    ends,
  ],
  [
    'beside a length, the other way round',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n') + smuggled,
    byParser(400),
    ends,
  ],
  [
    'with a tab before it',
    post('', '0\r\n\r\n', 'Transfer-Encoding:\tchunked\r\n') + smuggled,
    ends,
  ],
  [
    'with a space before the colon',
    post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n') + smuggled,
    byParser(400),
    waits,
  ],
  [
    'with an underscore',
    post('Transfer_Encoding: chunked\r\n', '0\r\n\r\n') + smuggled,
    ends,
    waits,
  ],
  [
    'with an underscore, and no more',
    post('Transfer_Encoding: chunked\r\n'),
    refusedForGood(400),
    waits,
  ],
  ['with an underscore, of a length', post('Content_Length: 5\r\n'), refusedForGood(400), waits],
  [
    'folded over two lines',
    post('', '0\r\n\r\n', 'Transfer-Encoding:\r\n chunked\r\n') + smuggled,
    byParser(400),
    waits,
  ],
  ['empty, without more', post('', '', 'Transfer-Encoding:\r\n'), refusedForGood(400)],
  ...others.map(
    (value): Row => [
      `of another coding: ${JSON.stringify(value)}`,
      post('', '', `Transfer-Encoding: ${value}\r\n`),
      refusedForGood(501),
    ],
  ),
  ...others.map(
    (value): Row => [
      `of another coding, and a request behind it: ${JSON.stringify(value)}`,
      post('', '0\r\n\r\n', `Transfer-Encoding: ${value}\r\n`) + smuggled,
      ends,
    ],
  ),
  [
    'twice, without more',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\n'.repeat(2)),
    refusedForGood(501),
  ],
  [
    'twice, first empty',
    post('', '', 'Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n') + smuggled,
    ends,
  ],
  [
    'of another coding on HEAD, and a request behind it later',
    [`HEAD /livez HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`, `0\r\n\r\n${smuggled}`],
    { ...refusedForGood(501), heads: [0], pause: 300 },
  ],
  [
    'chunked, empty length beside it',
    post('', '0\r\n\r\n', 'Transfer-Encoding: chunked\r\nContent-Length:\r\n'),
    refusedForGood(400),
  ],
  ['chunked on GET, and no chunk', get('/api/tasks', 'Transfer-Encoding: chunked\r\n'), waits],
  [
    'chunked of HTTP/1.0',
    `POST /api/tasks HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`,
    byParser(505),
    waits,
  ],
  [
    'on GET, and a request behind it',
    `${get('/api/tasks', 'Transfer-Encoding: chunked\r\n')}0\r\n\r\n${smuggled}`,
    ends,
  ],
  ['on GET, empty', get('/api/tasks', 'Transfer-Encoding:\r\n'), refusedForGood(400)],
  [
    'on DELETE',
    `DELETE /api/tasks/1 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    ends,
  ],
]);

const hosts = rows('Host', [
  ['with a port', `GET /livez HTTP/1.1\r\nHost: localhost:8080\r\n\r\n`, ok],
  ['an IPv6 address', `GET /livez HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n`, ok],
  ['empty, as RFC 9112 allows it', `GET /livez HTTP/1.1\r\nHost:\r\n\r\n`, ok],
  ['none', 'GET /livez HTTP/1.1\r\n\r\n', byParser(400), waits],
  ['none, but another header', 'GET /livez HTTP/1.1\r\nAccept: */*\r\n\r\n', byParser(400), ends],
  [
    'none, on POST',
    `POST /api/tasks HTTP/1.1\r\nContent-Length: ${size(json())}\r\n\r\n${json()}`,
    byParser(400),
    ends,
  ],
  ['twice the same', get('/livez', host), byParser(400), refusedForGood(400)],
  ['twice', get('/livez', 'Host: elsewhere\r\n'), byParser(400), refusedForGood(400)],
  ['twice, on POST', post('Host: elsewhere\r\n'), byParser(400), refusedForGood(400)],
  ['with an empty port', at('localhost:'), ok],
  ['with every sign that a name may have', at("a-b.c_d~e!$&'()*+,;=%41"), ok],
  ['a list', at('a, b'), refusedForGood(400)],
  ['with a space', at('a b'), refusedForGood(400)],
  ['with a path', at('a/b'), refusedForGood(400)],
  ['with a query', at('a?b'), refusedForGood(400)],
  ['with a user', at('user@a'), refusedForGood(400)],
  ['with a scheme', at('http://a'), refusedForGood(400)],
  ['with a port that is a word', at('a:http'), refusedForGood(400)],
  ['with a negative port', at('a:-1'), refusedForGood(400)],
  ['with two ports', at('a:1:2'), refusedForGood(400)],
  ['with half a bracket', at('[::1'), refusedForGood(400)],
  ['with text behind the bracket', at('[::1]a'), refusedForGood(400)],
  ['in quotes', at('"a"'), refusedForGood(400)],
  ['with bytes beyond ASCII', at('a\xe4b'), refusedForGood(400)],
  ['with bytes beyond ASCII at the end: not seen', at('a\xe4'), ok],
  ['with a malformed escape', at('a%zz'), refusedForGood(400)],
  ['malformed, and a request behind it', at('a b') + smuggled, ends],
]);

function at(name: string): string {
  return `GET /livez HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
}

const headers = rows('header', [
  ['without a space behind the colon', get('/livez', 'A:b\r\n'), ok],
  ['with many spaces and tabs', get('/livez', 'A: \t  b \t \r\n'), ok],
  ['in capitals', get('/livez', 'ACCEPT: */*\r\n'), ok],
  ['empty', get('/livez', 'A:\r\n'), ok],
  ['of 3 900 bytes', get('/livez', `A: ${'x'.repeat(3900)}\r\n`), ok],
  ['of 8 000 bytes', get('/livez', `A: ${'x'.repeat(8000)}\r\n`), ok],
  ['of 16 300 bytes', get('/livez', `A: ${'x'.repeat(16_300)}\r\n`), ok],
  ['of 16 400 bytes', get('/livez', `A: ${'x'.repeat(16_400)}\r\n`), byParser(431), ok],
  [
    'of 16 400 bytes, in two parts',
    inTwo(get('/livez', `A: ${'x'.repeat(16_400)}\r\n`)),
    { ...byParser(431), pause: 500 },
    { ...ends, pause: 500 },
  ],
  ['of 3 900 bytes, in two parts', inTwo(get('/livez', `A: ${'x'.repeat(3900)}\r\n`)), ok],
  // The limit for an incomplete head is 4 KiB in the build of 2023. For any head it is 16 KiB in
  // the current build.
  [
    'of 4 100 bytes, in two parts',
    inTwo(get('/livez', `A: ${'x'.repeat(4100)}\r\n`)),
    { ...ok, pause: 500 },
    { ...ends, pause: 500 },
  ],
  ['48 with Host', get('/livez', many(47)), ok],
  ['49 with Host', get('/livez', many(48)), ok, waits],
  ['98 with Host', get('/livez', many(97)), ok, waits],
  ['99 with Host: more than uWebSockets.js takes', get('/livez', many(98)), byParser(431), waits],
  ['150', get('/livez', many(150)), byParser(431), waits],
  // It ends uWebSockets.js's list of headers, so the headers after it are ignored, even a length. A
  // proxy must reject it.
  ['without a name', get('/livez', ': x\r\n'), ok],
  [
    'without a name, and a length behind it',
    `${get('/livez', `: x\r\nContent-Length: ${size(smuggled)}\r\n`)}${smuggled}`,
    { answers: [200, 201], afterwards: 'open', creates: 1 },
  ],
  ['with a space before the colon', get('/livez', 'A : x\r\n'), byParser(400), waits],
  ['with a space in its name', get('/livez', 'A b: x\r\n'), byParser(400), waits],
  ['with an underscore', get('/livez', 'A_b: x\r\n'), ok, waits],
  ['with a point', get('/livez', 'A.b: x\r\n'), ok, waits],
  ['folded over two lines', get('/livez', 'A: x\r\n y\r\n'), byParser(400), waits],
  ['without a colon', get('/livez', 'Accept\r\n'), byParser(400), waits],
  ['with U+0000 in its value', get('/livez', 'A: x\0y\r\n'), byParser(400), waits],
  ['with U+0001 in its value', get('/livez', 'A: x\x01y\r\n'), byParser(400), waits],
  ['with a carriage return in its value', get('/livez', 'A: x\ry\r\n'), waits],
  ['with a line feed in its value', get('/livez', 'A: x\ny\r\n'), byParser(400), waits],
  ['with bytes beyond ASCII', get('/livez', 'A: x\xe4\xffy\r\n'), ok],
  [
    'lines that end with a line feed alone',
    'GET /livez HTTP/1.1\nHost: a\n\n',
    byParser(505),
    waits,
  ],
  [
    'lines that end with a carriage return alone',
    'GET /livez HTTP/1.1\rHost: a\r\r',
    byParser(505),
    waits,
  ],
  ['that asks to close', get('/livez', 'Connection: close\r\n'), refusedForGood(200)],
  ['that asks for an upgrade', get('/livez', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), ok],
  ['that asks for HTTP/2', get('/livez', 'Upgrade: h2c\r\nConnection: Upgrade\r\n'), ok],
  ['that expects what nobody knows', get('/livez', 'Expect: 200-ok\r\n'), ok],
  [
    'that expects 100-continue',
    [post('Expect: 100-continue\r\n').slice(0, -size(json())), json()],
    { answers: [100, 201], afterwards: 'open', creates: 1 },
  ],
]);

function inTwo(whole: string): string[] {
  return [whole.slice(0, -30), whole.slice(-30)];
}

function many(count: number): string {
  return Array.from({ length: count }, (_, place) => `A-${place}: x\r\n`).join('');
}

const lines = rows('request line', [
  ['of a version before', `GET /livez HTTP/1.0\r\n${host}\r\n`, byParser(505), waits],
  ['of a version that never was', `GET /livez HTTP/1.2\r\n${host}\r\n`, byParser(505), waits],
  ['of version 2', `GET /livez HTTP/2.0\r\n${host}\r\n`, byParser(505), waits],
  ['as HTTP/2 begins', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', byParser(505), waits],
  ['in lower case', `GET /livez http/1.1\r\n${host}\r\n`, byParser(505), waits],
  ['without a version', `GET /livez\r\n${host}\r\n`, waits],
  ['of HTTP/0.9', 'GET /livez\r\n', byParser(505), waits],
  ['with more behind the version', `GET /livez HTTP/1.1x\r\n${host}\r\n`, byParser(505), waits],
  ['with two spaces', `GET  /livez HTTP/1.1\r\n${host}\r\n`, byParser(505), waits],
  ['with tabs', `GET\t/livez\tHTTP/1.1\r\n${host}\r\n`, byParser(505), waits],
  ['behind an empty line', `\r\n${get('/livez')}`, waits],
  ['behind a space', ` ${get('/livez')}`, byParser(505), waits],
  ['of another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', byParser(505), waits],
  ['of nothing but zeros', '\0'.repeat(64), byParser(505), waits],
  [
    'behind the PROXY protocol, version 1',
    `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${get('/livez')}`,
    byParser(505),
    waits,
  ],
  // Compiled into the binary. No client uses the address that it names.
  [
    'behind the PROXY protocol, version 2',
    `\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x01${get('/livez')}`,
    ok,
  ],
]);

const methods = rows('method', [
  ['GET', get('/api/tasks?per_page=1'), ok],
  ['HEAD', `HEAD /api/tasks HTTP/1.1\r\n${host}\r\n`, { ...ok, heads: [0] }],
  ['HEAD of nothing', `HEAD /nothing HTTP/1.1\r\n${host}\r\n`, { ...refused(404), heads: [0] }],
  ['OPTIONS', `OPTIONS /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(204)],
  ['TRACE', `TRACE /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(405)],
  ['CONNECT', `CONNECT /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(405)],
  ['DELETE of the list', `DELETE /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(405)],
  [
    'POST of a task',
    `POST /api/tasks/1 HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
    refused(405),
  ],
  [
    'PATCH of the list',
    `PATCH /api/tasks HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`,
    refused(405),
  ],
  // The build of 2023 has no route for an unknown method, and closes.
  ['in lower case', `get /livez HTTP/1.1\r\n${host}\r\n`, refused(405), ends],
  ['unknown', `FOO /livez HTTP/1.1\r\n${host}\r\n`, refused(405), ends],
  ['of a later standard', `QUERY /api/tasks HTTP/1.1\r\n${host}\r\n`, refused(405), ends],
  ['very long', `${'A'.repeat(2000)} /livez HTTP/1.1\r\n${host}\r\n`, refused(405), ends],
]);

const targets = rows('target', [
  ['with a slash at the end', get('/api/tasks/'), ok],
  ['with two slashes', get('/api//tasks'), refused(404)],
  ['with dot segments', get('/api/x/../tasks'), refused(404)],
  ['with an encoded letter', get('/api/%74asks'), refused(404)],
  ['with an encoded slash', get('/api%2Ftasks'), refused(404)],
  ['with an encoded id', get('/api/tasks/%31'), refused(400)],
  ['with %00 in the id', get('/api/tasks/1%00'), refused(400)],
  ['with a fragment', get('/livez#part'), refused(404)],
  ['with bytes beyond ASCII', get('/livez\xff'), refused(404)],
  ['with a control character', get('/liv\x01ez'), byParser(505), waits],
  ['with U+0000', get('/liv\0ez'), byParser(505), waits],
  ['with a space', get('/liv ez'), byParser(505), waits],
  ['without a slash', get('livez'), byParser(505), waits],
  ['absolute', get('http://localhost/livez'), byParser(505), waits],
  ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, byParser(505), waits],
  ['an authority', `CONNECT localhost:80 HTTP/1.1\r\n${host}\r\n`, byParser(505), waits],
  ['a query with a malformed escape', get('/api/tasks?title=%zz'), refused(400)],
  ['a query with half an escape', get('/api/tasks?title=%4'), refused(400)],
  ['a query with invalid UTF-8', get('/api/tasks?title=%ff'), refused(400)],
  ['a query with a raw byte beyond ASCII', get('/api/tasks?title=\xff'), refused(400)],
  ['a query with %00', get('/api/tasks?title=%00'), refused(400)],
  ['a query with a second question mark', get('/api/tasks?title=a?b'), ok],
  ['of 2 047 bytes', get(url(2047)), ok],
  ['of 2 048 bytes', get(url(2048)), ok],
  ['of 2 049 bytes', get(url(2049)), refused(414)],
  ['of 10 000 bytes', get(url(10_000)), refused(414)],
  ['of 20 000 bytes', get(url(20_000)), byParser(431), refused(414)],
  ['of 2 049 bytes, in two parts', inTwo(get(url(2049))), refused(414)],
  [
    'of 5 000 bytes, in two parts',
    inTwo(get(url(5000))),
    { ...refused(414), pause: 500 },
    { ...ends, pause: 500 },
  ],
]);

function url(bytes: number): string {
  const start = '/api/tasks?_=';
  return start + 'x'.repeat(bytes - start.length);
}

const bodyMax = 128 * 1024;

/** JSON padded with spaces to that many bytes. */
function padded(bytes: number): string {
  return json().padEnd(bytes);
}

const bodies = rows('body', [
  ['one byte below the limit', post('', padded(bodyMax - 1)), created],
  ['at the limit', post('', padded(bodyMax)), created],
  ['one byte above the limit', post('', padded(bodyMax + 1)), refused(413)],
  ['of a MiB', post('', padded(2 ** 20)), refused(413)],
  [
    'above the limit, of the wrong type',
    post('Content-Type: text/plain\r\n', padded(bodyMax + 1)),
    refused(415),
  ],
  ['title of 255', post('', json().replace('"}', `${'x'.repeat(255 - marker.length)}"}`)), created],
  [
    'title of 256',
    post('', json().replace('"}', `${'x'.repeat(256 - marker.length)}"}`)),
    refused(400),
  ],
  ['description of 16 383', post('', json(`,"description":"${'x'.repeat(16_383)}"`)), created],
  ['description of 16 384', post('', json(`,"description":"${'x'.repeat(16_384)}"`)), created],
  ['description of 16 385', post('', json(`,"description":"${'x'.repeat(16_385)}"`)), refused(400)],
  ['nested too deep', post('', json(`,"id":${'['.repeat(21)}${']'.repeat(21)}`)), refused(400)],
  [
    'nested beyond what a stack holds',
    post('', json(`,"id":${'['.repeat(40_000)}${']'.repeat(40_000)}`)),
    refused(400),
  ],
  ['an array', post('', `[${json()}]`), refused(400)],
  ['a number', post('', '1'), refused(400)],
  ['null', post('', 'null'), refused(400)],
  ['two objects', post('', json() + json()), refused(400)],
  ['half an object', post('', json().slice(0, -1)), refused(400)],
  ['one quote', post('', '"'), refused(400)],
  ['nothing but space', post('', '   '), refused(400)],
  ['a comma too many', post('', json(',')), refused(400)],
  ['a comment', post('', `${json()}/**/`), refused(400)],
  [
    'the same field twice: the last counts, as in ECMAScript',
    post('', json(`,"title":"${marker}"`)),
    created,
  ],
  ['a field named __proto__', post('', json(',"__proto__":{"status":"done"}')), refused(400)],
  ['a field named constructor', post('', json(',"constructor":{}')), refused(400)],
  ['a number beyond what a double holds', post('', json(',"assigneeID":1e400')), refused(400)],
  ['an id beyond 2^53', post('', json(',"assigneeID":9007199254740992')), refused(400)],
  ['an id of 2^53-1', post('', json(',"assigneeID":9007199254740991')), created],
  ['minus zero is zero', post('', json(',"assigneeID":-0')), created],
  ['a fraction', post('', json(',"assigneeID":1.5')), refused(400)],
]);

const encodings = rows('encoding', [
  ['UTF-8', post('', json(',"description":"\xc3\xa4\xf0\x9f\x8e\x88"')), created],
  ['a byte order mark', post('', `\xef\xbb\xbf${json()}`), refused(400)],
  ['Latin-1', post('', json(',"description":"\xe4"')), refused(400)],
  ['an overlong form', post('', json(',"description":"\xc0\x80"')), refused(400)],
  ['a surrogate in UTF-8', post('', json(',"description":"\xed\xa0\x80"')), refused(400)],
  ['beyond U+10FFFF', post('', json(',"description":"\xf4\x90\x80\x80"')), refused(400)],
  ['half a character at the end', post('', json(',"description":"\xf0\x9f"')), refused(400)],
  ['UTF-16', post('', [...json()].map((letter) => `${letter}\0`).join('')), refused(400)],
  ['an escaped U+0000', post('', json(',"description":"\\u0000"')), refused(400)],
  ['a raw U+0000', post('', json(',"description":"\0"')), refused(400)],
  ['an escaped lone surrogate', post('', json(',"description":"\\ud800"')), refused(400)],
  ['an escaped pair', post('', json(',"description":"\\ud83c\\udf88"')), created],
  ['an escape that is none', post('', json(',"description":"\\x41"')), refused(400)],
  ['a raw line feed in a text', post('', json(',"description":"a\nb"')), refused(400)],
]);

const types = rows('Content-Type', [
  ['none', post(''), created],
  ['empty', post('Content-Type:\r\n'), created],
  ['application/json', post('Content-Type: application/json\r\n'), created],
  ['in capitals', post('Content-Type: APPLICATION/JSON\r\n'), created],
  ['with a charset', post('Content-Type: application/json; charset=utf-8\r\n'), created],
  ['with a semicolon at the end', post('Content-Type: application/json;\r\n'), created],
  ['text', post('Content-Type: text/plain\r\n'), refused(415)],
  ['a form', post('Content-Type: application/x-www-form-urlencoded\r\n'), refused(415)],
  ['almost JSON', post('Content-Type: application/jsonx\r\n'), refused(415)],
  ['a merge patch on POST', post('Content-Type: application/merge-patch+json\r\n'), refused(415)],
  ['several parts', post('Content-Type: multipart/form-data; boundary=x\r\n'), refused(415)],
  ['twice the same', post('Content-Type: application/json\r\n'.repeat(2)), refused(415)],
  [
    'twice, second text',
    post('Content-Type: application/json\r\nContent-Type: text/plain\r\n'),
    refused(415),
  ],
  ['a list', post('Content-Type: application/json, text/plain\r\n'), refused(415)],
  [
    'said not to be compressed, and to be',
    post('Content-Encoding: identity\r\nContent-Encoding: gzip\r\n'),
    refused(415),
  ],
  ['a compressed body', post('Content-Encoding: gzip\r\n'), refused(415)],
  ['not compressed, and says so', post('Content-Encoding: identity\r\n'), created],
]);

const longestId = 'aZ09._-'.padEnd(64, 'a');
const ids = rows('X-Request-Id', [
  ['of one character', get('/livez', 'X-Request-Id: a\r\n'), { ...ok, requestId: 'a' }],
  [
    'of 64 characters',
    get('/livez', `X-Request-Id: ${longestId}\r\n`),
    { ...ok, requestId: longestId },
  ],
  [
    'of 65 characters',
    get('/livez', `X-Request-Id: ${longestId}a\r\n`),
    { ...ok, requestId: 'made' },
  ],
  ['empty', get('/livez', 'X-Request-Id:\r\n'), { ...ok, requestId: 'made' }],
  ['with markup', get('/livez', 'X-Request-Id: <script>\r\n'), { ...ok, requestId: 'made' }],
  ['with a space', get('/livez', 'X-Request-Id: a b\r\n'), { ...ok, requestId: 'made' }],
  ['twice', get('/livez', 'X-Request-Id: a\r\nX-Request-Id: b\r\n'), { ...ok, requestId: 'made' }],
  ['on what is created', post('X-Request-Id: new-1\r\n'), { ...created, requestId: 'new-1' }],
  [
    'on what is refused for its framing',
    get('/livez', 'Content-Length:\r\nX-Request-Id: no-length\r\n'),
    { ...refusedForGood(400), requestId: 'no-length' },
  ],
]);

/** No such task exists: an invalid condition is reported first. */
function change(headers: string): string {
  return `PUT /api/tasks/1 HTTP/1.1\r\n${host}Content-Length: ${size(json())}\r\n${headers}\r\n${json()}`;
}

const conditions = rows('condition', [
  ['If-None-Match on a list', get('/api/tasks', 'If-None-Match: *\r\n'), refused(304)],
  [
    'If-None-Match on HEAD',
    `HEAD /api/tasks HTTP/1.1\r\n${host}If-None-Match: *\r\n\r\n`,
    { ...refused(304), heads: [0] },
  ],
  ['If-None-Match, empty', get('/api/tasks', 'If-None-Match:\r\n'), ok],
  // Without the header the write is unconditional; an empty header is invalid, because its value
  // was lost.
  ['If-Match, empty', change('If-Match:\r\n'), refused(400)],
  ['If-Match, unquoted', change('If-Match: 1-1\r\n'), refused(400)],
  ['If-Match twice, second malformed', change('If-Match: "1-1"\r\nIf-Match: x\r\n'), refused(400)],
  ['Idempotency-Key, empty', post('Idempotency-Key:\r\n'), refused(400)],
  ['Idempotency-Key twice', post('Idempotency-Key: a\r\nIdempotency-Key: b\r\n'), refused(400)],
  ['Idempotency-Key of 64 characters', post(`Idempotency-Key: ${'k'.repeat(64)}\r\n`), created],
  [
    'Idempotency-Key of 65 characters',
    post(`Idempotency-Key: ${'k'.repeat(65)}\r\n`),
    refused(400),
  ],
]);

const head = post('').slice(0, -size(json()));
const half = json().slice(0, 10);
const breaks = rows('the client', [
  ['goes away in the request line', 'POST /api', { ...ends, hangUp: 'reset' }],
  ['goes away among the headers', head.slice(0, 40), { ...ends, hangUp: 'reset' }],
  ['goes away before the body', head, { ...ends, hangUp: 'reset' }],
  ['goes away inside the body', head + half, { ...ends, hangUp: 'reset' }],
  ['goes away before the last byte', post('').slice(0, -1), { ...ends, hangUp: 'reset' }],
  ['goes away before the answer', post(''), { ...ends, creates: 'perhaps', hangUp: 'reset' }],
  ['goes away before the answer of a list', get('/api/tasks'), { ...ends, hangUp: 'reset' }],
  ['ends its half in the request line', 'POST /api', { ...ends, hangUp: 'half' }],
  ['ends its half before the body', head, { ...ends, hangUp: 'half' }],
  ['ends its half inside the body', head + half, { ...ends, hangUp: 'half' }],
  // uWebSockets.js treats a half-closed connection as closed.
  ['ends its half behind the request', post(''), { ...ends, creates: 'perhaps', hangUp: 'half' }],
  ['opens a connection and says nothing', '', waits],
  ['sends a byte at a time', [...post('')], { ...created, pause: 3 }],
  ['pauses before the body', [head, json()], { ...created, pause: 1500 }],
  ['pauses inside the body', [head + half, json().slice(10)], { ...created, pause: 1500 }],
  ['never sends the body', head, waits],
  ['never sends the last byte', post('').slice(0, -1), waits],
  // Documented: no pipelining. Of two requests in flight neither is answered.
  ['does not wait for the answer of a POST', post('') + post(''), { ...ends, creates: 'perhaps' }],
  ['does not wait for the answer of a GET', get('/api/tasks') + get('/api/tasks'), ends],
  [
    'pipelines what is answered at once',
    get('/livez') + get('/livez'),
    { answers: [200, 200], afterwards: 'open' },
  ],
]);

export const framingCases: readonly FramingCase[] = [
  ...splits(),
  ...lengths,
  ...surplus,
  ...codings,
  ...chunkCases,
  ...hosts,
  ...headers,
  ...lines,
  ...methods,
  ...targets,
  ...bodies,
  ...encodings,
  ...types,
  ...ids,
  ...conditions,
  ...breaks,
];

/** @param title as long as the marker, because the lengths and parts are already fixed. */
export function withTitle(parts: readonly string[], title: string): string[] {
  const whole = parts.join('').replaceAll(marker, title);
  let end = 0;
  return parts.map((part) => {
    const begin = end;
    end += part.length;
    return whole.slice(begin, end);
  });
}

export const titleLength = marker.length;

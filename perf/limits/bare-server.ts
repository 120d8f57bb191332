/**
 * Bare uWebSockets.js that always returns the same bytes: the upper bound of HTTP alone. It
 * requests the bytes from the URL at its start, or gets them as an argument. With `async` it
 * responds in a later turn of the event loop, as a server with a database must.
 *
 *   bare-server.js <port> <url> [async]
 */
import type { HttpResponse } from 'uWebSockets.js';
import { loadNativeServer } from '../../src/http/native-server.ts';

const { uws } = loadNativeServer('auto');
const [, , port, url, mode] = process.argv;
const answer = await fetch(url!);
const body = Buffer.from(await answer.arrayBuffer());
const headers = [...answer.headers]
  .filter(([name]) => !['content-length', 'connection', 'date', 'uwebsockets'].includes(name))
  .map(([name, value]) => [name, value] as const);

uws
  .App()
  .any('/*', mode === 'async' ? answerLater : send)
  .listen(Number(port), (socket) => {
    if (socket === false) process.exit(1);
    const news = { message: 'listening', url: `http://127.0.0.1:${port}` };
    process.stdout.write(`${JSON.stringify(news)}\n`);
  });
process.on('SIGTERM', () => process.exit(0));

function send(response: HttpResponse): void {
  for (const [name, value] of headers) response.writeHeader(name, value);
  response.end(body);
}

function answerLater(response: HttpResponse): void {
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  setImmediate(() => {
    if (!aborted) response.cork(() => send(response));
  });
}

/**
 * uWebSockets.js with nothing around it: one route, always the same bytes. What a cached list
 * could reach at best. Asks the service at LIST_URL for the bytes when it starts.
 */
import uws from 'uWebSockets.js';

const [, , port, listUrl] = process.argv;
const answer = await fetch(listUrl!);
const body = Buffer.from(await answer.arrayBuffer());
const headers = [...answer.headers]
  .filter(([name]) => !['content-length', 'connection', 'date', 'uwebsockets'].includes(name))
  .map(([name, value]) => [name, value] as const);

uws
  .App()
  .get('/api/tasks', (response) => {
    for (const [name, value] of headers) response.writeHeader(name, value);
    response.end(body);
  })
  .listen(Number(port), (socket) => {
    if (socket === false) process.exit(1);
    const url = `http://127.0.0.1:${port}`;
    process.stdout.write(`${JSON.stringify({ message: 'listening', url })}\n`);
  });
process.on('SIGTERM', () => process.exit(0));

/** Starts bare-server.ts with the bytes of an answer of the service. */
import { fileURLToPath } from 'node:url';
import { freePort, type RunningServer, startServer } from '../support/server.ts';

const program = fileURLToPath(new URL('./bare-server.js', import.meta.url));

/** @param url where the service answers now. @param isLater answers one turn of the event loop later. */
export async function startBareServer(
  url: string,
  directory: string,
  isLater = false,
): Promise<RunningServer> {
  return startServer({
    name: 'bare uWebSockets.js',
    program,
    arguments: [String(await freePort()), url, ...(isLater ? ['async'] : [])],
    directory,
    environment: {},
  });
}

/** Sends one command to one server on a separate connection. */
import type { Redis } from 'ioredis';
import { within } from '../../base/within.ts';
import type { ServerAddress } from '../../config/config.ts';
import { connectTo, type TlsSettings } from './connection.ts';
import { type Greeting, greet } from './greet.ts';

const connectLimitMs = 1000;
const answerLimitMs = 500;

/** Rejects when the server is down, refuses the command, or times out. */
export async function askOnce<Value>(
  server: ServerAddress,
  { greeting, tls }: { readonly greeting: Greeting; readonly tls: TlsSettings },
  ask: (client: Redis) => Promise<Value>,
): Promise<Value> {
  const client = connectTo(server, { tls, retry: () => null });
  try {
    await within(ready(client), connectLimitMs);
    await within(greet(client, greeting), answerLimitMs);
    return await within(ask(client), answerLimitMs);
  } finally {
    client.disconnect();
  }
}

function ready(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('ready', resolve);
    client.on('error', reject);
    client.once('end', () => reject(new Error('the server has closed the connection')));
  });
}

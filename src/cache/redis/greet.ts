/** The first commands of a connection: AUTH and SELECT. */
import type { Redis } from 'ioredis';

export interface Greeting {
  readonly username: string;
  readonly password: string;
  readonly db: number;
}

/** The refusals of a server that has no password. */
const needless = /no password is set|without any password configured/;

/** @throws the server's refusal. */
export async function greet(client: Redis, { username, password, db }: Greeting): Promise<void> {
  if (password !== '') {
    try {
      await (username === '' ? client.auth(password) : client.auth(username, password));
    } catch (error) {
      if (!(error instanceof Error && needless.test(error.message))) throw error;
    }
  }
  if (db !== 0) await client.select(db);
}

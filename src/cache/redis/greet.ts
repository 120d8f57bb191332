/** What a connection says first: who we are, and which database. */
import type { Redis } from 'ioredis';

export interface Greeting {
  readonly username: string;
  readonly password: string;
  readonly db: number;
}

/** A server that wants no password has always said so with one of these. */
const needless = /no password is set|without any password configured/;

/** @throws what the server refuses it with. */
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

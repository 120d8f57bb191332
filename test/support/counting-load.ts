/**
 * Clients that count their responses. Each has its own connection with one request in flight. When
 * a connection breaks, its request counts as cut off: only the service can know whether it was
 * answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, openConnection } from '../../perf/load/connection.ts';

export interface CountingLoad {
  /** The number of responses so far. */
  answered(): number;
  /** Sends no more, and waits for the requests in flight. */
  stop(): Promise<LoadCounts>;
}

export interface LoadCounts {
  /** By status. */
  readonly answered: ReadonlyMap<number, number>;
  readonly cutOff: number;
}

const reconnectMs = 5;

/** @param paths requested in turn. */
export function startCountingLoad(
  port: number,
  connections: number,
  paths: readonly string[],
): CountingLoad {
  const requests = paths.map((path) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`),
  );
  const statuses = new Map<number, number>();
  let sent = 0;
  let answers = 0;
  let cutOff = 0;
  let running = true;
  const clients = Array.from({ length: connections }, beClient);

  async function beClient(): Promise<void> {
    while (running) {
      await useConnection();
      await sleep(reconnectMs);
    }
  }

  /** Resolves when the connection is closed. */
  function useConnection(): Promise<void> {
    return new Promise((done) => {
      let isUnderWay = false;
      const opening = openConnection(
        { host: '127.0.0.1', port },
        {
          onAnswer(connection) {
            isUnderWay = false;
            answers++;
            statuses.set(connection.status(), (statuses.get(connection.status()) ?? 0) + 1);
            if (running) return sendNext(connection);
            connection.close();
            done();
          },
          onFailure() {
            if (isUnderWay) cutOff++;
            done();
          },
        },
      );
      opening.then(sendNext, () => undefined);

      function sendNext(connection: Connection): void {
        isUnderWay = true;
        connection.send(requests[sent++ % requests.length]!, false);
      }
    });
  }

  return {
    answered: () => answers,
    async stop() {
      running = false;
      await Promise.all(clients);
      return { answered: statuses, cutOff };
    },
  };
}

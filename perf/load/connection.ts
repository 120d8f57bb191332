/** One keep-alive connection with one request in flight. */
import { connect } from 'node:net';
import { createResponseReader } from './response-reader.ts';

export interface Connection {
  /** @param keepBody the caller needs the body of the response. */
  send(request: Buffer, keepBody: boolean): void;
  status(): number;
  body(): Buffer;
  close(): void;
}

export interface ConnectionEvents {
  /** The response is complete. */
  onAnswer(connection: Connection): void;
  /** The connection is unusable from now on. */
  onFailure(reason: string): void;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A larger response arrives in several pieces, which costs little. */
const readBytes = 16 * 1024;

export function openConnection(address: Address, events: ConnectionEvents): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const reader = createResponseReader();
    let waiting = false;
    let closing = false;

    // `onread` reuses one buffer; 'data' events allocate one each time.
    const socket = connect({
      ...address,
      noDelay: true,
      onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback: onBytes },
    });
    const connection: Connection = {
      send(request, keepBody) {
        waiting = true;
        reader.begin(keepBody);
        socket.write(request);
      },
      status: reader.status,
      body: reader.body,
      close() {
        closing = true;
        socket.destroy();
      },
    };
    socket.once('connect', () => resolve(connection));
    socket.once('error', (error) => fail(error.message));
    socket.once('close', () => fail('the server closed the connection'));

    function onBytes(length: number, buffer: Uint8Array): boolean {
      const chunk = (buffer as Buffer).subarray(0, length);
      let complete: boolean;
      try {
        if (!waiting) throw new Error('bytes that answer no request');
        complete = reader.read(chunk);
      } catch (error) {
        fail((error as Error).message);
        socket.destroy();
        return false;
      }
      if (complete) {
        waiting = false;
        events.onAnswer(connection);
      }
      return true;
    }

    function fail(reason: string): void {
      if (closing) return;
      closing = true;
      events.onFailure(reason);
      reject(new Error(reason));
    }
  });
}

/** A TCP proxy in front of a test's server that misbehaves on command. */
import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net';

export type Behaviour =
  | { readonly type: 'pass' }
  /** Delays each piece. */
  | { readonly type: 'delay'; readonly milliseconds: number }
  /** Holds the data of both sides until the behaviour changes. */
  | { readonly type: 'freeze' }
  /** Reads everything and sends nothing. */
  | { readonly type: 'silence' }
  /** Closes all connections, old and new. */
  | { readonly type: 'cut' }
  /** Answers everything with these bytes. */
  | { readonly type: 'answer'; readonly bytes: string }
  /** Forwards responses with each such text replaced. */
  | { readonly type: 'garble'; readonly from: string; readonly to: string };

export interface FaultProxy {
  readonly port: number;
  behave(behaviour: Behaviour): void;
  /** Sends FIN to the clients, and keeps reading from them. */
  halfClose(): void;
  /** Resets the existing connections. */
  reset(): void;
  /** Forwards nothing more on the existing connections, without closing them. */
  forget(): void;
  /** New connections go to the server on that port; existing ones are closed. */
  aim(port: number): void;
  close(): void;
}

/** @param port of the server behind it, on the loopback interface. */
export async function startFaultProxy(port: number): Promise<FaultProxy> {
  let behaviour: Behaviour = { type: 'pass' };
  let targetPort = port;
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const forgotten = new WeakSet<Socket>();
  /** Delayed data for each client, in order: TCP never reorders. */
  const delayed = new Map<Socket, Promise<void>>();
  const server = createServer((client) => {
    if (behaviour.type === 'cut') {
      client.destroy();
      return;
    }
    const target = open({ port: targetPort, host: '127.0.0.1', noDelay: true });
    client.setNoDelay(true);
    clients.add(client);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      if (behaviour.type === 'freeze') socket.pause();
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        clients.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (behaviour.type === 'silence' || forgotten.has(client)) return;
      if (behaviour.type === 'answer') client.write(behaviour.bytes);
      else target.write(bytes);
    });
    target.on('data', (bytes: Buffer) => answer(client, bytes));
  });

  function answer(client: Socket, bytes: Buffer): void {
    if (forgotten.has(client)) return;
    switch (behaviour.type) {
      case 'silence':
      case 'answer':
        return;
      case 'delay':
        later(client, bytes, behaviour.milliseconds);
        return;
      case 'garble': {
        // latin1: one byte per character, so that lengths stay the same.
        const text = bytes.toString('latin1').replaceAll(behaviour.from, behaviour.to);
        client.write(Buffer.from(text, 'latin1'));
        return;
      }
      default:
        if (delayed.has(client)) later(client, bytes, 0);
        else client.write(bytes);
    }
  }

  function later(client: Socket, bytes: Buffer, milliseconds: number): void {
    const due = new Promise((resolve) => setTimeout(resolve, milliseconds));
    const before = delayed.get(client);
    const sent = Promise.all([before, due]).then(() => {
      client.write(bytes);
      if (delayed.get(client) === sent) delayed.delete(client);
    });
    delayed.set(client, sent);
  }

  function end(): void {
    for (const socket of sockets) socket.destroy();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    behave(next) {
      behaviour = next;
      if (next.type === 'cut') end();
      for (const socket of sockets) {
        if (next.type === 'freeze') socket.pause();
        else socket.resume();
      }
    },
    halfClose() {
      for (const client of clients) client.end();
    },
    reset() {
      for (const client of clients) client.resetAndDestroy();
    },
    forget() {
      for (const client of clients) forgotten.add(client);
    },
    aim(next) {
      targetPort = next;
      end();
    },
    close() {
      end();
      server.close();
    },
  };
}

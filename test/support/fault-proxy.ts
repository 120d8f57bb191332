/** A TCP proxy in front of a server of a test, which misbehaves when it is told to. */
import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net';

export type Behaviour =
  | { readonly type: 'pass' }
  /** Each piece comes that much later. */
  | { readonly type: 'delay'; readonly milliseconds: number }
  /** Holds what comes, from either side, until it behaves otherwise. */
  | { readonly type: 'freeze' }
  /** Takes everything and says nothing. */
  | { readonly type: 'silence' }
  /** Ends connections, old and new. */
  | { readonly type: 'cut' }
  /** Answers whatever is asked with these bytes. */
  | { readonly type: 'answer'; readonly bytes: string }
  /** Lets answers pass, with each such text in them replaced. */
  | { readonly type: 'garble'; readonly from: string; readonly to: string };

export interface FaultProxy {
  readonly port: number;
  behave(behaviour: Behaviour): void;
  /** Tells clients that the server has said its last word, and goes on to listen to them. */
  halfClose(): void;
  /** Ends the connections that there are with a reset. */
  reset(): void;
  /** Of the connections that there are, nothing passes any more, and neither end is told. */
  forget(): void;
  /** New connections lead to the server on that port; those that there are end. */
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
  /** What is delayed for a client, in order: a network never lets one piece overtake another. */
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
        // One byte a character, so that lengths stay what they were.
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

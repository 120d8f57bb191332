/** A TCP proxy in front of a server of a test, which misbehaves when it is told to. */
import { type AddressInfo, createServer, connect as open, type Socket } from 'node:net';

export type Behaviour =
  | { readonly type: 'pass' }
  /** Each piece comes that much later. */
  | { readonly type: 'delay'; readonly milliseconds: number }
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
  close(): void;
}

/** @param port of the server behind it, on the loopback interface. */
export async function startFaultProxy(port: number): Promise<FaultProxy> {
  let behaviour: Behaviour = { type: 'pass' };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    if (behaviour.type === 'cut') {
      client.destroy();
      return;
    }
    const target = open(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (behaviour.type === 'silence') return;
      if (behaviour.type === 'answer') client.write(behaviour.bytes);
      else target.write(bytes);
    });
    target.on('data', (bytes: Buffer) => answer(client, bytes));
  });

  function answer(client: Socket, bytes: Buffer): void {
    switch (behaviour.type) {
      case 'silence':
      case 'answer':
        return;
      case 'delay':
        setTimeout(() => client.write(bytes), behaviour.milliseconds);
        return;
      case 'garble': {
        // One byte a character, so that lengths stay what they were.
        const text = bytes.toString('latin1').replaceAll(behaviour.from, behaviour.to);
        client.write(Buffer.from(text, 'latin1'));
        return;
      }
      default:
        client.write(bytes);
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    behave(next) {
      behaviour = next;
      if (next.type === 'cut') for (const socket of sockets) socket.destroy();
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

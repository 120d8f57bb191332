/** Opens the listening sockets of a process, one for each address. */
import type { us_listen_socket } from 'uWebSockets.js';
import type { Uws } from './native-server.ts';
import type { RequestHandler } from './serve.ts';

export interface Listener {
  /** Closes the listening sockets; open connections continue. */
  stopListening(): void;
  /** Listens again. @returns `false`: the port is not available now. */
  listenAgain(): boolean;
  /** Closes every connection at once. */
  close(): void;
}

export interface ListenOptions {
  readonly port: number;
  /** At least one. `::` also accepts IPv4. */
  readonly addresses: readonly string[];
  /** Other processes share the port. */
  readonly shared: boolean;
}

/** Present in the binary, missing in the typings. */
declare module 'uWebSockets.js' {
  interface TemplatedApp {
    listen(
      host: string,
      port: number,
      options: number,
      callback: (socket: us_listen_socket | false) => void,
    ): TemplatedApp;
    /** Closes every connection. */
    close(): void;
  }
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT: binary and typings export it under different names. */
const exclusivePort = 1;

/** Throws when the port is in use on one of the addresses: the system reports no other reason. */
export function listen(uws: Uws, handle: RequestHandler, options: ListenOptions): Listener {
  const app = uws.App();
  app.any('/*', handle);
  // Without the exclusive flag a second service would silently share the port (SO_REUSEPORT).
  const flag = options.shared ? 0 : exclusivePort;

  /** All sockets, or none. */
  let listening: us_listen_socket[] = [];

  /** @returns the address that is not available; `undefined`: it listens on all. */
  function open(): string | undefined {
    for (const address of options.addresses) {
      const before = listening.length;
      // Calls back before it returns.
      app.listen(address, options.port, flag, (socket) => {
        if (socket !== false) listening.push(socket);
      });
      if (listening.length > before) continue;
      stopListening();
      return address;
    }
    return undefined;
  }

  function stopListening(): void {
    for (const socket of listening) uws.us_listen_socket_close(socket);
    listening = [];
  }

  const refused = open();
  if (refused !== undefined) {
    throw new Error(`port ${options.port} is taken on ${refused}, or may not be used`);
  }
  return {
    stopListening,
    listenAgain: () => listening.length > 0 || open() === undefined,
    close() {
      stopListening();
      app.close();
    },
  };
}

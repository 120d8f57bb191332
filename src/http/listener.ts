/** The native server: one process's socket on the port. */
import uws, { type us_listen_socket } from 'uWebSockets.js';
import type { Server } from './serve.ts';

export interface Listener {
  /** Takes no new connection; open ones go on. */
  stopListening(): void;
  /** Takes new connections again. @returns `false`: the port cannot be had now. */
  listenAgain(): boolean;
  /** Ends every connection at once. */
  close(): void;
}

export interface ListenOptions {
  readonly port: number;
  /** Other processes listen on the same port beside this one. */
  readonly shared: boolean;
}

/**
 * The package falls back to an imitation in JavaScript, an order of magnitude slower, when its
 * binary does not load. Throws rather than serve with that.
 */
export function assertNativeServer(): void {
  if (Function.prototype.toString.call(uws.App).includes('[native code]')) return;
  throw new Error(
    `uWebSockets.js has no binary for Node ${process.version} (ABI ${process.versions.modules}) on ` +
      `${process.platform}-${process.arch}: start the service with bin/node, which finds a Node 20`,
  );
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT: binary and typings export it under different names. */
const exclusivePort = 1;

/** Throws when the port is taken: the system gives no better reason. */
export function listen(server: Server, options: ListenOptions): Listener {
  const app = uws.App();
  app.any('/*', server.handle);
  // Without the exclusive flag a second service would silently share the port (SO_REUSEPORT).
  const flag = options.shared ? 0 : exclusivePort;

  let listening: us_listen_socket | false = false;

  function open(): boolean {
    // Calls back before it returns.
    app.listen(options.port, flag, (socket: us_listen_socket | false) => {
      listening = socket;
    });
    return listening !== false;
  }

  function stopListening(): void {
    if (listening !== false) uws.us_listen_socket_close(listening);
    listening = false;
  }

  if (!open()) throw new Error(`port ${options.port} is taken or may not be used`);
  return {
    stopListening,
    listenAgain: () => listening !== false || open(),
    close() {
      stopListening();
      (app as unknown as { close(): void }).close();
    },
  };
}

/** Parses lists of servers: comma-separated `host:port`. */

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

const form =
  /^(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|([A-Za-z0-9_][A-Za-z0-9._-]{0,252}))(?::([0-9]{1,5}))?$/;

/** A fault names the position only: the value may contain a password. */
export function readServers(
  variable: string,
  list: string,
  defaultPort: number,
  faults: string[],
): readonly ServerAddress[] {
  const texts = list.split(',').map((text) => text.trim());
  return texts.flatMap((text, place) => {
    const [, address, name, port] = form.exec(text) ?? [];
    const host = address ?? name;
    const number = port === undefined ? defaultPort : Number(port);
    if (host !== undefined && number >= 1 && number <= 65_535) return [{ host, port: number }];
    faults.push(
      `${variable}: expected host or host:port, with commas between, an address with colons as ` +
        `[::1]:${defaultPort}; got another text as number ${place + 1} of ${texts.length}`,
    );
    return [];
  });
}

/** Asks Sentinels for the master: regularly, and at once while the master fails. */
import type { RedisPlace, ServerAddress } from '../../config/config.ts';
import { askOnce } from './ask-once.ts';
import type { TlsSettings } from './connection.ts';
import { type Reason, reasonOf } from './reasons.ts';
import { createTrouble, type Trouble } from './trouble.ts';

export interface MasterFinderOptions {
  readonly place: Extract<RedisPlace, { readonly form: 'sentinel' }>;
  readonly tls: TlsSettings;
  /** Called with the master of each reply, also when it is the same. */
  readonly found: (master: ServerAddress) => void;
}

export interface MasterFinder {
  readonly trouble: Trouble;
  /** Called twice a second. */
  look(isMasterWell: boolean): void;
  /** The known master may have been demoted: ask now. */
  hurry(): void;
  close(): void;
}

/**
 * During a failover a Sentinel disconnects the old master's clients, which causes a read at once.
 */
const intervalMs = 5000;

export function createMasterFinder({ place, tls, found }: MasterFinderOptions): MasterFinder {
  const { sentinels, masterName } = place;
  const greeting = { username: place.username, password: place.password, db: 0 };
  const trouble = createTrouble(0, () => performance.now());
  let isAsking = false;
  let closed = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  /** The index of the Sentinel that answered last; it is asked first. */
  let first = 0;

  function look(isMasterWell: boolean): void {
    if (!isMasterWell || performance.now() - askedAt >= intervalMs) hurry();
  }

  function hurry(): void {
    if (isAsking || closed) return;
    isAsking = true;
    askedAt = performance.now();
    void ask().finally(() => {
      isAsking = false;
    });
  }

  async function ask(): Promise<void> {
    let worst: Reason | undefined;
    for (let step = 0; step < sentinels.length && !closed; step++) {
      const place = (first + step) % sentinels.length;
      try {
        const master = await askSentinel(sentinels[place]!);
        if (closed) return;
        first = place;
        trouble.succeed(false);
        found(master);
        return;
      } catch (error) {
        const reason = sentinelReason(error);
        if (worst === undefined || (reason.isCertain && !worst.isCertain)) worst = reason;
      }
    }
    if (worst !== undefined && !closed) trouble.fail(worst);
  }

  async function askSentinel(sentinel: ServerAddress): Promise<ServerAddress> {
    const answer: unknown = await askOnce(sentinel, { greeting, tls }, (client) =>
      client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName),
    );
    if (answer === null) throw new Error(unknownName);
    const [host, port] = Array.isArray(answer) ? answer.map(String) : [];
    if (host === undefined || !Number.isInteger(Number(port))) throw new Error(notSentinel);
    return { host, port: Number(port) };
  }

  look(false);
  return {
    trouble,
    look,
    hurry,
    close: () => {
      closed = true;
    },
  };
}

const unknownName = 'the Sentinels know no master of the name in REDIS_MASTER_NAME';
const notSentinel = 'a server in REDIS_SENTINELS is no Sentinel';

function sentinelReason(error: unknown): Reason {
  const { text, weight, isCertain } = reasonOf(error, 'sentinel');
  for (const kind of [unknownName, notSentinel]) {
    if (text === kind) return { text, kind, weight: 3, isCertain: true };
  }
  if (/unknown command/i.test(text)) {
    return { text: notSentinel, kind: notSentinel, weight, isCertain };
  }
  const named = text
    .replaceAll(/REDIS_(USERNAME|PASSWORD)/g, 'REDIS_SENTINEL_$1')
    .replace(', or REDIS_URL', '');
  return {
    text: `no Sentinel helps: ${named}`,
    kind: named.replace(/ \(.*/s, ''),
    weight,
    isCertain,
  };
}

/** What the primary starts a front end with: it is copied to the other process. */
import type { AccessOptions } from '../admin/access.ts';
import type { AdminPaths } from '../admin/admin-pages.ts';
import type { BatchingConfig, Config, DatabaseConfig, RedisConfig } from '../config/config.ts';
import type { FrontEndConnections } from '../config/connection-budget.ts';

export interface FrontEndOptions {
  readonly number: number;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Other front ends listen on the same port. */
  readonly sharesPort: boolean;
  readonly database: DatabaseConfig;
  readonly connections: FrontEndConnections;
  /** A connection to PostgreSQL without work for this long is closed; 0: none is. */
  readonly connectionIdleMs: number;
  readonly batching: BatchingConfig;
  readonly redis: RedisConfig | null;
  /** Bytes of lists that are kept in memory; 0: none. */
  readonly cacheBytesMax: number;
  readonly shutdownGraceMs: number;
  /** Origins that may read answers in a browser; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Names of headers that their pages may send beside those that the service reads. */
  readonly corsHeaders: readonly string[];
  /** Where clients reach the service: see readHostBasePath. */
  readonly hostBasePath: string;
  /** Profiles may be asked for: the heap is sampled from the start. */
  readonly profiles: boolean;
  /** The file that it counts in, for the primary to read; `null`: it does not count. */
  readonly metricsFile: string | null;
  readonly adminPaths: AdminPaths;
  readonly access: AccessOptions;
  /** A request that takes longer is logged; 0: none. */
  readonly slowRequestMs: number;
  /** Answers say where their time went. */
  readonly serverTiming: boolean;
  readonly uwsBuild: Config['uwsBuild'];
}

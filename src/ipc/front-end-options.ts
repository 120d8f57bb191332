/** The options of a front end; the primary sends a copy. */
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
  /** A PostgreSQL connection idle for this long is closed; 0: never. */
  readonly connectionIdleMs: number;
  readonly batching: BatchingConfig;
  readonly redis: RedisConfig | null;
  /** The most bytes of lists in memory; 0: none. */
  readonly cacheBytesMax: number;
  readonly shutdownGraceMs: number;
  /** Origins that may read responses in a browser; none: CORS is off. */
  readonly corsOrigins: readonly string[];
  /** Further request headers that their pages may send. */
  readonly corsHeaders: readonly string[];
  /** The service's address for clients: see readHostBasePath. */
  readonly hostBasePath: string;
  /** Profiles are on: the heap is sampled from the start. */
  readonly profiles: boolean;
  /** The file for its metrics, which the primary reads; `null`: metrics are off. */
  readonly metricsFile: string | null;
  readonly adminPaths: AdminPaths;
  readonly access: AccessOptions;
  /** Slower requests are logged; 0: none. */
  readonly slowRequestMs: number;
  /** Responses have a Server-Timing header. */
  readonly serverTiming: boolean;
  readonly uwsBuild: Config['uwsBuild'];
}

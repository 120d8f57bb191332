/**
 * Compares this service with peers and limits, or its two runtimes; see perf/README.md.
 *
 *   make bench             [ROUNDS=3] [SECONDS=3] [ONLY=get,list] [PEERS=fastify-pg,go-gin-pgx]
 *   PAIRS=true make bench  [ROUNDS=5] [SECONDS=3] [ONLY=get,list]
 */
import { readSwitch } from '../support/options.ts';

if (readSwitch('PAIRS')) await import('./both-runtimes.ts');
else await import('./against-peers.ts');

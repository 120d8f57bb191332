/** The cache counters of one front end since its start. Plain numbers: cheap on the hot path. */
export interface CacheStats {
  generationReads: number;
  generationReadFailures: number;
  /** Requests served by reads of the generation. */
  generationWaiters: number;
  memoryHits: number;
  memoryMisses: number;
  memoryEvictions: number;
  redisHits: number;
  redisMisses: number;
  /** Lookups and stores that Redis refused, answered wrongly or did not answer in time. */
  redisFailures: number;
  /** Redis commands that timed out, including probes. */
  redisTimeouts: number;
  /** Lists not stored because too many waited for Redis, or because it refuses lists. */
  redisFillsDropped: number;
  /** Reads of lists from PostgreSQL. */
  listReads: number;
  /** Requests that shared the read of another request. */
  listReadsShared: number;
}

export function createCacheStats(): CacheStats {
  return {
    generationReads: 0,
    generationReadFailures: 0,
    generationWaiters: 0,
    memoryHits: 0,
    memoryMisses: 0,
    memoryEvictions: 0,
    redisHits: 0,
    redisMisses: 0,
    redisFailures: 0,
    redisTimeouts: 0,
    redisFillsDropped: 0,
    listReads: 0,
    listReadsShared: 0,
  };
}

/** What one front end has counted since it started: plain numbers, cheap enough for the hot path. */
export interface CacheStats {
  generationReads: number;
  generationReadFailures: number;
  /** Requests that reads of the generation have served. */
  generationWaiters: number;
  memoryHits: number;
  memoryMisses: number;
  memoryEvictions: number;
  redisHits: number;
  redisMisses: number;
  /** Lookups and fills that Redis refused, garbled or did not answer in time. */
  redisFailures: number;
  /** Commands of Redis that were given up; probes among them. */
  redisTimeouts: number;
  /** Fills that were dropped because Redis was behind, or takes none. */
  redisFillsDropped: number;
  /** Lists that were read from PostgreSQL. */
  listReads: number;
  /** Requests that shared the read of another one. */
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

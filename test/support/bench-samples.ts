/** Samples of a bench, as a round of it gives them. */
import type { ClosedSample, OpenSample } from '../../perf/bench/samples.ts';

const latencyUs = { p50: 100, p90: 150, p99: 300, p999: 400, p9999: 500, max: 600 };

/** Reads by id on 64 connections. @param more takes the place of a figure. */
export function closed(subject: string, round: number, rate: number, more = {}): ClosedSample {
  return {
    round,
    operation: 'get',
    subject,
    connections: 64,
    seconds: 2,
    rate,
    requests: rate * 2,
    latencyUs,
    cpuSeconds: { service: 1, postgres: 0.5, client: 0.4 },
    idle: 0.1,
    stolen: 0,
    memory: { processes: 2, residentMiB: 200, proportionalMiB: 150 },
    ...more,
  };
}

/** @param rate at which requests fall due; they are answered at `goodRate`. Latencies are in microseconds. */
export function open(subject: string, rate: number, goodRate: number, p99: number): OpenSample {
  const us = { ...latencyUs, p99, mean: 120 };
  return {
    round: 0,
    operation: 'get',
    subject,
    rate,
    seconds: 2,
    dueRate: rate,
    sentRate: rate,
    goodRate,
    refusedRate: 0,
    otherStatuses: {},
    goodUs: us,
    refusedUs: us,
    cpuSeconds: 1,
  };
}

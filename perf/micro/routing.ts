/** Benchmarks of a front end's work on a request line: route, id, list query. */
import { endpoints } from '../../src/contract/endpoints.ts';
import { parseFilter } from '../../src/contract/filter.ts';
import { createListKeys } from '../../src/contract/list-key.ts';
import { parseListQuery } from '../../src/contract/list-query.ts';
import { parseId } from '../../src/http/identifier.ts';
import { createRouter } from '../../src/http/router.ts';
import { createRandom } from '../seed/random.ts';
import { type Benchmark, pureBenchmark } from './harness/benchmark.ts';
import { seededTasks } from './harness/database.ts';

export function routingBenchmarks(): Benchmark[] {
  const router = createRouter(endpoints);
  const route = (path: string): number => router.match(path)?.id.length ?? -1;
  const random = createRandom(1);
  const ids = Array.from({ length: 256 }, () => String(random.integer(1, seededTasks)));
  const taskPaths = ids.map((id) => `/api/tasks/${id}`);
  const queries = ids.map((id) => `page=${id}&per_page=50&sort=-createdAt&status=pending`);
  const remember = createListKeys();

  return [
    pureBenchmark('MatchRoute/list', ['/api/tasks'], route),
    pureBenchmark('MatchRoute/task', taskPaths, route),
    pureBenchmark('MatchRoute/unknown', ['/favicon.ico', '/api/users/7', '/'], route),
    pureBenchmark('ParseId', ids, (id) => {
      const parsed = parseId(id);
      return typeof parsed === 'number' ? parsed : -1;
    }),
    pureBenchmark('ParseFilter/status', ['status=pending', 'status:pending|done'], parse),
    pureBenchmark('ParseFilter/bare', ['quarterly report', '"quoted phrase"'], parse),
    pureBenchmark('ParseFilter/terms=8', [eightTerms], parse),
    pureBenchmark('ParseFilter/invalid', ['status=later', 'colour=red', 'id>x'], parse),
    pureBenchmark('ParseListQuery/empty', [''], parseQuery),
    pureBenchmark('ParseListQuery/page', queries, parseQuery),
    pureBenchmark('ParseListQuery/encoded', [encodedQuery], parseQuery),
    pureBenchmark('ListKey/remembered', queries, (query) => {
      const result = remember(query);
      return result.ok ? result.key.bytes.length : -1;
    }),
  ];
}

const eightTerms =
  'status:pending|in_progress,title:report,description:"the figures",assigneeID>=7 AND id<100000,' +
  'createdAt>=2026-01-01T00:00:00Z AND updatedAt<2026-06-01T00:00:00Z,invoice';
const encodedQuery = `filter=${encodeURIComponent('status=pending AND title:São Paulo')}&per_page=20`;

function parse(filter: string): number {
  const result = parseFilter(filter);
  return result.ok ? result.terms.length : result.message.length;
}

function parseQuery(raw: string): number {
  const result = parseListQuery(raw);
  return result.ok ? result.query.perPage : result.faults.length;
}

/** Benchmarks of validating bodies, valid and invalid ones. */
import { createBodyDecoder, type Decoded } from '../../src/tasks/decode.ts';
import { bodyOf } from './bodies.ts';
import { type Benchmark, pureBenchmark } from './harness/benchmark.ts';
import { makeTasks } from './harness/database.ts';

export function validationBenchmarks(): Benchmark[] {
  const decoder = createBodyDecoder();
  const bodies = makeTasks(256).map(bodyOf);
  const titles = bodies.map((_, place) => Buffer.from(`{"title":"number ${place}"}`));
  const large = [Buffer.from(JSON.stringify({ title: 'large', description: 'ä'.repeat(16_384) }))];
  const wrong = [
    Buffer.from('{"titel":"x"}'),
    Buffer.from('{"title":"","status":"later"}'),
    Buffer.from('{"title":7,"assigneeID":-1}'),
  ];
  const create = (body: Uint8Array): number => sizeOf(decoder.create(body));

  return [
    pureBenchmark('DecodeCreate/valid', bodies, create),
    pureBenchmark('DecodeCreate/large', large, create),
    pureBenchmark('DecodeCreate/invalid', wrong, create),
    pureBenchmark('DecodeCreate/malformed', [Buffer.from('{"title":')], create),
    pureBenchmark('DecodeChange/title', titles, (body) => sizeOf(decoder.change(body))),
    pureBenchmark('DecodePatch/title', titles, (body) => sizeOf(decoder.patch(body))),
  ];
}

function sizeOf(decoded: Decoded<{ readonly title: string | null }>): number {
  return decoded.ok ? (decoded.value.title?.length ?? 0) : decoded.faults.length;
}

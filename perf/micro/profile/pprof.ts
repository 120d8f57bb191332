/** What `go tool pprof` reads: github.com/google/pprof, proto/profile.proto, compressed. */
import type { Runtime } from 'node:inspector';
import { gzipSync } from 'node:zlib';
import { encodeMessage, type Field } from './protobuf.ts';
import type { RecordedNode, Recording } from './recording.ts';
import { createSources } from './sources.ts';

export function encodePprof(recording: Recording): Uint8Array {
  const sources = createSources();
  // The first text is the empty one.
  const texts = new Map([['', 0]]);
  const functions: Field[] = [];
  const locations: Field[] = [];
  const functionIds = new Map<string, number>();
  const locationIds = new Map<string, number>();

  function textOf(text: string): number {
    const place = texts.get(text) ?? texts.size;
    texts.set(text, place);
    return place;
  }

  function functionOf(frame: Runtime.CallFrame): number {
    const { name, file, line } = sources.functionOf(frame);
    const key = `${name} ${file} ${line}`;
    const known = functionIds.get(key);
    if (known !== undefined) return known;
    const id = functionIds.size + 1;
    functionIds.set(key, id);
    functions.push(
      message(5, [
        [1, id],
        [2, textOf(name)],
        [4, textOf(file)],
        [5, line],
      ]),
    );
    return id;
  }

  function locationOf(frame: Runtime.CallFrame, builtLine: number): number {
    const functionId = functionOf(frame);
    const line = sources.lineOf(frame, builtLine);
    const key = `${functionId} ${line}`;
    const known = locationIds.get(key);
    if (known !== undefined) return known;
    const id = locationIds.size + 1;
    locationIds.set(key, id);
    locations.push(
      message(4, [
        [1, id],
        [2, mappingId],
        message(4, [
          [1, functionId],
          [2, line],
        ]),
      ]),
    );
    return id;
  }

  function callersOf({ parent }: RecordedNode): number[] {
    const caller = recording.nodes[parent];
    // The root is nobody's function.
    if (caller === undefined || caller.parent === -1) return [];
    return [locationOf(caller.frame, 0), ...callersOf(caller)];
  }

  const samples = recording.nodes.flatMap((node) =>
    [...node.values].map(([line, values]) =>
      message(2, [
        [1, [locationOf(node.frame, line), ...callersOf(node)]],
        [2, values.map(Math.round)],
      ]),
    ),
  );
  const types = recording.types.map(
    ({ type, unit }): Field =>
      message(1, [
        [1, textOf(type)],
        [2, textOf(unit)],
      ]),
  );
  const last = recording.types.at(-1)!;
  const rest: Field[] = [
    // Says that there is nothing left to look up.
    message(3, [
      [1, mappingId],
      [5, textOf('node')],
      [7, 1],
      [8, 1],
      [9, 1],
    ]),
    [9, BigInt(recording.startedAt) * 1_000_000n],
    [10, BigInt(recording.durationMs) * 1_000_000n],
    message(11, [
      [1, textOf(last.type)],
      [2, textOf(last.unit)],
    ]),
    [12, recording.interval],
    [14, textOf(last.type)],
  ];
  const table = [...texts.keys()].map((text): Field => [6, text]);
  return gzipSync(
    encodeMessage([...types, ...samples, ...locations, ...functions, ...table, ...rest]),
  );
}

const mappingId = 1;

function message(number: number, fields: readonly Field[]): Field {
  return [number, encodeMessage(fields)];
}

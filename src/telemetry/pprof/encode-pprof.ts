/** The format of Go's pprof: github.com/google/pprof, proto/profile.proto. */
import {
  Location,
  Mapping,
  Function as PprofFunction,
  Profile as PprofProfile,
  Sample as PprofSample,
  StringTable,
} from 'pprof-format';
import { type Profile, qualifiedName, type StackFrame, type ValueType } from './profile.ts';

/** Not compressed. */
export function encodePprof(profile: Profile): Uint8Array {
  const strings = new StringTable();
  const functions = new Map<string, PprofFunction>();
  const locations = new Map<string, Location>();
  const text = (value: string): number => strings.dedup(value);
  const valueType = ({ type, unit }: ValueType) => ({ type: text(type), unit: text(unit) });

  const sample = profile.samples.map(
    ({ stack, values, process, thread }) =>
      new PprofSample({
        locationId: stack.map(locationOf),
        value: values.map(Math.round),
        label: [
          { key: text('process'), str: text(process) },
          { key: text('thread'), str: text(thread) },
        ],
      }),
  );
  const { period } = profile;
  const encoded = new PprofProfile({
    sampleType: profile.types.map(valueType),
    sample,
    // One mapping tells readers that all symbols are resolved.
    mapping: [
      new Mapping({
        id: 1,
        filename: text('node'),
        hasFunctions: true,
        hasFilenames: true,
        hasLineNumbers: true,
      }),
    ],
    location: [...locations.values()],
    function: [...functions.values()],
    comment: profile.comments.map(text),
    timeNanos: BigInt(profile.startedAt.getTime()) * 1_000_000n,
    durationNanos: Math.round(profile.durationMs * 1e6),
    ...(period === null ? {} : { periodType: valueType(period), period: period.value }),
    defaultSampleType: text(profile.types.at(-1)?.type ?? ''),
    stringTable: strings,
  });
  return encoded.encode();

  function locationOf(frame: StackFrame): number {
    const key = `${keyOf(frame)} ${frame.line}`;
    const known = locations.get(key);
    if (known !== undefined) return Number(known.id);
    const id = locations.size + 1;
    const line = [{ functionId: functionOf(frame), line: frame.line }];
    locations.set(key, new Location({ id, mappingId: 1, line }));
    return id;
  }

  function functionOf(frame: StackFrame): number {
    const key = keyOf(frame);
    const known = functions.get(key);
    if (known !== undefined) return Number(known.id);
    const id = functions.size + 1;
    const { name, file, startLine } = frame;
    const names = { name: text(qualifiedName(frame)), systemName: text(name) };
    functions.set(key, new PprofFunction({ id, ...names, filename: text(file), startLine }));
    return id;
  }
}

function keyOf({ name, file, startLine }: StackFrame): string {
  return `${name} ${file} ${startLine}`;
}

/** The text for `debug=1`: the samples in descending order. */
import { type Profile, qualifiedName } from './profile.ts';

export function encodeText(name: string, { types, samples, comments }: Profile): string {
  const last = types.length - 1;
  const totals = types.map((_, place) =>
    samples.reduce((sum, { values }) => sum + Math.round(values[place]!), 0),
  );
  const lines = [
    `${name} profile: total ${totals.map((total, place) => describe(total, place)).join(', ')}`,
    ...comments.map((comment) => `# ${comment}`),
  ];
  for (const sample of samples.toSorted((a, b) => b.values[last]! - a.values[last]!)) {
    const { values, process, thread, stack } = sample;
    lines.push('', `${values.map(describe).join(', ')} @ ${process}/${thread}`);
    for (const frame of stack) {
      const place = frame.file === '' ? '' : `\t${frame.file}:${frame.line}`;
      lines.push(`#\t${qualifiedName(frame)}${place}`);
    }
  }
  return `${lines.join('\n')}\n`;

  function describe(value: number, place: number): string {
    return `${types[place]!.type} ${Math.round(value)} ${types[place]!.unit}`;
  }
}

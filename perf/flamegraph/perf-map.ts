/**
 * Parses the file in which V8 names compiled code for perf: `<start> <size> <name>`, hexadecimal.
 */

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly place: number;
  readonly line: string;
}

/**
 * V8 only appends lines. For an address range that was reused, perf might take either name. Keeps
 * the later one.
 */
export function withoutStale(map: string): string {
  const entries = map.split('\n').flatMap((line, place): Entry[] => {
    const found = /^([0-9a-f]+) ([0-9a-f]+) \S/.exec(line);
    if (found === null) return [];
    const start = Number.parseInt(found[1]!, 16);
    return [{ start, end: start + Number.parseInt(found[2]!, 16), place, line }];
  });
  entries.sort((a, b) => a.start - b.start || a.place - b.place);
  const kept: Entry[] = [];
  for (const entry of entries) {
    while (kept.length > 0 && overlaps(kept.at(-1)!, entry) && kept.at(-1)!.place < entry.place) {
      kept.pop();
    }
    if (kept.length === 0 || !overlaps(kept.at(-1)!, entry)) kept.push(entry);
  }
  return kept.map(({ line }) => `${line}\n`).join('');
}

function overlaps(before: Entry, entry: Entry): boolean {
  return before.end > entry.start;
}

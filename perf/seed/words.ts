/**
 * The words of seeded tasks. Their frequency follows their rank, as in a language (Zipf): the first
 * word is in every third title, the last in one of many thousand. There are also names, each in a
 * handful of ten million tasks.
 */
import type { Random } from './random.ts';

const vocabularySize = 8000;
const nameCount = 400;
/** One task in this many has a name in its title. */
const tasksPerName = 5000;

const onsets = 'b c d f g h j k l m n p r s t v w z br cl dr fr gl gr pl pr sk st tr'.split(' ');
const vowels = 'a e i o u ai ea ou'.split(' ');
const codas = ['', '', '', 'n', 'r', 's', 'l', 'm', 't'];

/** In order of rank, all different. */
export const vocabulary: readonly string[] = makeWords(vocabularySize, 0x5eed);
/** Not in the vocabulary: every word of it is shorter. */
export const names: readonly string[] = makeWords(nameCount, 0xfeed).map((word) => `${word}qvx`);

/** The name in the title of the task with that id; `undefined`: none. */
export function nameOf(id: number): string | undefined {
  if (id % tasksPerName !== 0) return undefined;
  return names[(id / tasksPerName) % nameCount];
}

/** A word by Zipf's law: rank r about 1/r times as often as the first. */
export function pickWord(random: Random): string {
  return vocabulary[ranks[random.integer(0, ranks.length - 1)]!]!;
}

/** A table with each rank in proportion to its frequency, so that a pick is one lookup. */
const ranks = Uint16Array.from(
  { length: 1 << 16 },
  (_, place) => Math.floor(vocabularySize ** ((place + 0.5) / (1 << 16))) - 1,
);

function makeWords(count: number, seed: number): string[] {
  // Not random.ts, whose sequence might change: ranks must be stable.
  let state = seed;
  const next = (size: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % size;
  };
  const words = new Set<string>();
  while (words.size < count) {
    let word = '';
    const syllables = 2 + next(2);
    for (let place = 0; place < syllables; place++) {
      word +=
        onsets[next(onsets.length)]! + vowels[next(vowels.length)]! + codas[next(codas.length)]!;
    }
    words.add(word);
  }
  return [...words];
}

/** Measures one case at all sizes, alternating, so that disturbances affect all sizes. */
import type { Asker, ListAnswer } from './asker.ts';
import type { Case } from './cases.ts';

export interface Subject {
  readonly size: number;
  readonly asker: Asker;
  readonly cases: readonly Case[];
}

export interface ScaleSample {
  readonly name: string;
  readonly size: number;
  readonly path: string;
  /** Milliseconds for each round; the first rounds are omitted. */
  readonly times: readonly number[];
  /** 200, or the first other status; 0: the connection broke. */
  readonly status: number;
  readonly total: number | null;
  readonly totalExact: boolean;
  /** No page had more or fewer tasks than its total implied. */
  readonly complete: boolean;
}

/** Until plans are cached, pages are in memory and code is compiled. */
const warmupRounds = 10;
/** A slow case must not take hours: beyond this, warm-up and rounds are cut short. */
const warmupMaxMs = 15_000;
const caseMaxMs = 60_000;

export async function measureCase(
  name: string,
  subjects: readonly Subject[],
  rounds: number,
): Promise<ScaleSample[]> {
  const began = performance.now();
  for (let round = 0; round < warmupRounds; round++) {
    await askEach(name, subjects);
    if (performance.now() - began > warmupMaxMs) break;
  }
  const answers: ListAnswer[][] = [];
  while (answers.length < rounds) {
    answers.push(await askEach(name, subjects));
    if (performance.now() - began > caseMaxMs) break;
  }
  return subjects.map(({ size }, place) =>
    sampleOf(
      name,
      size,
      answers.map((round) => round[place]!),
    ),
  );
}

async function askEach(name: string, subjects: readonly Subject[]): Promise<ListAnswer[]> {
  const answers: ListAnswer[] = [];
  for (const { asker, cases } of subjects) {
    answers.push(await cases.find((one) => one.name === name)!.ask(asker));
  }
  return answers;
}

function sampleOf(name: string, size: number, answers: readonly ListAnswer[]): ScaleSample {
  const shown = answers.find(({ status }) => status !== 200) ?? answers.at(-1)!;
  const { path, status, total, totalExact } = shown;
  const times = answers.map(({ milliseconds }) => milliseconds);
  const complete = answers.every((answer) => answer.complete);
  return { name, size, path, times, status, total, totalExact, complete };
}

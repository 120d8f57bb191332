/** Generates one task. */
import type { Status } from '../../src/contract/task.ts';
import type { Random } from './random.ts';
import { nameOf, pickWord } from './words.ts';

export interface SeededTask {
  readonly title: string;
  readonly description: string;
  readonly status: Status;
  readonly assigneeId: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Place {
  /** The approximate id of the task; it decides whether the title has a rare name. */
  readonly id: number;
  /** The position among the seeded tasks, 0..1. */
  readonly share: number;
  /** Milliseconds since 1970. The creation times are spread over the two years before. */
  readonly now: number;
}

/** Half of all tasks are completed or canceled. */
const statuses = [
  ...Array<Status>(40).fill('completed'),
  ...Array<Status>(10).fill('done'),
  ...Array<Status>(30).fill('pending'),
  ...Array<Status>(14).fill('in_progress'),
  ...Array<Status>(6).fill('canceled'),
];
const people = 20_000;
const spanMs = 2 * 365 * 24 * 3600 * 1000;
const lifeMaxMs = 60 * 24 * 3600 * 1000;

export function makeTask({ id, share, now }: Place, random: Random): SeededTask {
  const created = Math.floor(now - spanMs + share * (spanMs - 1000));
  const updated = Math.min(now, created + random.integer(0, lifeMaxMs) * random.integer(0, 1));
  return {
    title: title(id, random),
    description: description(random),
    status: random.pick(statuses),
    assigneeId: assignee(random),
    createdAt: iso(created),
    updatedAt: iso(updated),
  };
}

function title(id: number, random: Random): string {
  const text = sentence(random.integer(3, 8), random);
  const name = nameOf(id);
  return name === undefined ? text : `${text} ${name}`;
}

/** One in four is empty. */
function description(random: Random): string {
  const words = random.integer(-10, 30);
  return words <= 0 ? '' : `${sentence(words, random)}.`;
}

function sentence(words: number, random: Random): string {
  let text = pickWord(random);
  for (let place = 1; place < words; place++) text += ` ${pickWord(random)}`;
  return text[0]!.toUpperCase() + text.slice(1);
}

/**
 * A fifth have no assignee; a few people have very many tasks, most some hundred of ten million.
 */
function assignee(random: Random): number {
  if (random.integer(1, 5) === 1) return 0;
  return Math.floor(people ** (random.integer(0, 1_000_000) / 1_000_001));
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

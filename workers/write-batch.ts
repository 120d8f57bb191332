/** A batch of writes of one kind, whatever the kind. */
import type { RequestItem, ResponseItem } from '../src/batching/frames.ts';
import { failureAnswer, faultsAnswer } from './answers.ts';
import type { Decoded } from './decode.ts';
import { describeFailure, type Failure } from './failures.ts';

/**
 * What does not decode is answered with its faults; the rest is written by one statement. Where
 * that fails because of a row, the rows run one by one, so that only the guilty one fails.
 */
export async function executeWrites<Value>(
  items: readonly RequestItem[],
  decode: (item: RequestItem) => Decoded<Value>,
  write: (values: readonly Value[]) => Promise<ResponseItem[]>,
  isRepeatable: (value: Value) => boolean = never,
): Promise<ResponseItem[]> {
  const answers = new Array<ResponseItem>(items.length);
  const places: number[] = [];
  const values: Value[] = [];
  for (let place = 0; place < items.length; place++) {
    const item = items[place]!;
    const decoded = decode(item);
    if (decoded.ok) {
      places.push(place);
      values.push(decoded.value);
    } else {
      answers[place] = faultsAnswer(decoded.faults, item.flags);
    }
  }
  if (values.length > 0) {
    const written = await writeRows(values, write, isRepeatable);
    for (let index = 0; index < places.length; index++) answers[places[index]!] = written[index]!;
  }
  return answers;
}

/** @param isRepeatable one that took effect does so once, also when it is written again. */
async function writeRows<Value>(
  values: readonly Value[],
  write: (values: readonly Value[]) => Promise<ResponseItem[]>,
  isRepeatable: (value: Value) => boolean,
): Promise<ResponseItem[]> {
  let failure: Failure;
  try {
    return await write(values);
  } catch (error) {
    failure = describeFailure(error, false);
  }
  const answers: ResponseItem[] = [];
  if (failure.perRow && values.length > 1) {
    for (const value of values) answers.push(...(await writeRows([value], write, isRepeatable)));
    return answers;
  }
  const repeated = failure.connectionLost ? await repeat(values.filter(isRepeatable), write) : [];
  for (const value of values) {
    const answer = isRepeatable(value) ? repeated.shift() : undefined;
    answers.push(answer ?? failureAnswer(failure));
  }
  return answers;
}

/** @returns nothing when it fails again: then the first failure is the answer. */
async function repeat<Value>(
  values: readonly Value[],
  write: (values: readonly Value[]) => Promise<ResponseItem[]>,
): Promise<ResponseItem[]> {
  try {
    return values.length === 0 ? [] : await write(values);
  } catch {
    return [];
  }
}

function never(): boolean {
  return false;
}

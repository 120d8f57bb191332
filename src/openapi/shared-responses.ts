/** The problems of all operations. Equal ones are described once. */
import type { ProblemCode } from '../contract/problems.ts';
import { type Example, examples } from './examples.ts';
import type { Json, JsonObject } from './json.ts';
import { byStatus, problemAnswer } from './responses.ts';

/**
 * The names of shared responses. If a status has several sets of codes, the set is the key. A set
 * that is not listed is described at its endpoint.
 */
const sharedNames: Readonly<Record<string, string>> = {
  '400 invalid': 'BadRequest',
  '401': 'Unauthorized',
  '404': 'NotFound',
  '409': 'Conflict',
  '411': 'LengthRequired',
  '412': 'PreconditionFailed',
  '413': 'PayloadTooLarge',
  '414': 'UriTooLong',
  '415': 'UnsupportedMediaType',
  '422 rejected': 'Rejected',
  '500': 'Internal',
  '501': 'NotImplemented',
  '503 overloaded unavailable': 'Unavailable',
  '503 overloaded unavailable outcome_unknown': 'WriteUnavailable',
  '503 unavailable': 'NotReady',
};

export interface SharedAnswers {
  /** @param own examples of the operation. @returns its problems by status. */
  problems(codes: readonly ProblemCode[], own?: readonly Example[]): JsonObject;
  /** The shared responses used so far, by name. */
  described(): JsonObject;
}

export function createSharedAnswers(): SharedAnswers {
  const shared = new Map<string, JsonObject>();

  function problems(codes: readonly ProblemCode[], own: readonly Example[] = []): JsonObject {
    const answers: Record<string, Json> = {};
    for (const [status, group] of byStatus(codes)) {
      const name = sharedNames[status] ?? sharedNames[[status, ...group].join(' ')];
      if (name === undefined || (status === 400 && own.length > 0)) {
        answers[status] = problemAnswer(status, group, own);
        continue;
      }
      if (!shared.has(name)) {
        // The text for one set of codes may belong to another set.
        const told =
          sharedNames[status] === undefined
            ? []
            : examples.filter((example) => example.status === status);
        shared.set(name, problemAnswer(status, group, told));
      }
      answers[status] = { $ref: `#/components/responses/${name}` };
    }
    return answers;
  }

  return { problems, described: () => Object.fromEntries(shared) };
}

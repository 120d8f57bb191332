/**
 * The bodies of responses: the envelope with its five keys, and RFC 9457 for clients that ask for
 * it.
 */
import { type TSchema, Type } from '../typebox.ts';
import { idMax, perPageMax } from './limits.ts';
import { type ProblemCode, problemCodes } from './problems.ts';
import { requestIdPattern } from './request-id.ts';
import { Task } from './task.ts';

const closed = { additionalProperties: false } as const;
const total = Type.Integer({ minimum: 0, maximum: idMax });

function success<Data extends TSchema, Meta extends TSchema>(data: Data, meta: Meta) {
  return Type.Object(
    {
      data,
      meta,
      message: Type.Literal('success'),
      errors: Type.Array(Type.Unknown(), { maxItems: 0 }),
      status: Type.Literal('ok'),
    },
    closed,
  );
}

export const ListMeta = Type.Object(
  {
    page: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      description: 'null where the list is paged by cursor.',
    }),
    per_page: Type.Integer({ minimum: 1, maximum: perPageMax }),
    total,
    total_pages: total,
    total_exact: Type.Optional(
      Type.Literal(false, {
        description: 'Only there when counting stopped at a bound: there may be more.',
      }),
    ),
    next_cursor: Type.Optional(
      Type.Union([Type.String(), Type.Null()], {
        description: 'Only there with cursor; null at the end of the list.',
      }),
    ),
  },
  { ...closed, description: 'Where the page stands in the list.' },
);

export const TaskAnswer = success(Task, Type.Null());
export const TaskListAnswer = success(Type.Array(Task, { maxItems: perPageMax }), ListMeta);
export const AliveAnswer = success(Type.Object({ alive: Type.Literal(true) }, closed), Type.Null());
export const ReadyAnswer = success(Type.Object({ ready: Type.Literal(true) }, closed), Type.Null());

export const FaultBody = Type.Object(
  {
    code: Type.Unsafe<ProblemCode>({ type: 'string', enum: [...problemCodes] }),
    field: Type.Union([Type.String(), Type.Null()], {
      description:
        'The field, parameter or header at fault; null when it is the request as a whole.',
    }),
    message: Type.String({ minLength: 1 }),
  },
  { ...closed, description: 'One thing that is wrong.' },
);

const faults = Type.Array(FaultBody, {
  minItems: 1,
  description: 'Everything that is wrong. The first decides the status.',
});

export const Problem = Type.Object(
  {
    data: Type.Null(),
    meta: Type.Null(),
    message: Type.String({ minLength: 1 }),
    errors: faults,
    status: Type.Literal('fail'),
  },
  { ...closed, description: 'An error in the envelope.' },
);

export const ProblemDetails = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ minLength: 1 }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    instance: Type.Optional(Type.String({ pattern: `^urn:request:${requestIdPattern}$` })),
    errors: faults,
  },
  { ...closed, description: 'An error as RFC 9457, for `Accept: application/problem+json`.' },
);

/**
 * The schemas of a task and of the bodies that clients send. Types, compiled checks, texts of
 * faults and the API description are derived from them.
 */
import { type Static, type TSchema, Type } from '../typebox.ts';
import { storableFormat } from './formats.ts';
import { descriptionLengthMaxCodePoints, idMax, titleLengthMaxCodePoints } from './limits.ts';
import { type Status, statuses } from './values.ts';

export { type Status, statuses };

const title = Type.String({
  minLength: 1,
  maxLength: titleLengthMaxCodePoints,
  pattern: '\\S',
  format: storableFormat,
  description: 'Stored exactly as sent; not blank. Without U+0000 and lone surrogates.',
});

const description = Type.String({
  maxLength: descriptionLengthMaxCodePoints,
  format: storableFormat,
  description: 'Stored exactly as sent. Without U+0000 and lone surrogates.',
});

const status = Type.Unsafe<Status>({
  type: 'string',
  enum: [...statuses],
  description: '`done` is an older name of `completed`, kept as it was sent.',
});

const assigneeId = Type.Union([Type.Integer({ minimum: 0, maximum: idMax }), Type.Null()], {
  description:
    'The number of a person; 0 or null: nobody. `assignee_id` is another name for the field.',
});

export const Task = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: idMax }),
  title: Type.String(),
  description: Type.String(),
  status,
  assigneeID: Type.Integer({ minimum: 0, maximum: idMax }),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
});
export type Task = Static<typeof Task>;

/** Read-only fields, which a client may send back unchanged. */
const ignored = Type.Optional(Type.Unknown({ readOnly: true, description: 'Ignored.' }));
const readOnly = Type.Object({
  id: ignored,
  createdAt: ignored,
  updatedAt: ignored,
  created_at: ignored,
  updated_at: ignored,
});

const optionalFields = {
  description: Type.Optional(description),
  status: Type.Optional(status),
  assigneeID: Type.Optional(assigneeId),
  assignee_id: Type.Optional(assigneeId),
  ...readOnly.properties,
};

/** The body of POST. `assignee_id` is an alias; the executor rejects two different values. */
export const CreateTask = Type.Object(
  { title, ...optionalFields },
  { additionalProperties: false },
);
export type CreateTask = Static<typeof CreateTask>;

/** The body of PUT: any non-empty subset of the writable fields. */
export const UpdateTask = Type.Object(
  { title: Type.Optional(title), ...optionalFields },
  { additionalProperties: false },
);
export type UpdateTask = Static<typeof UpdateTask>;

/**
 * The body of PATCH, a JSON merge patch (RFC 7396): `null` resets a field to its default. The title
 * has no default, so it must not be null. A task is flat, so a patch has no nested objects.
 */
export const PatchTask = Type.Object(
  {
    title: Type.Optional(title),
    ...optionalFields,
    description: Type.Optional(Type.Union([description, Type.Null()])),
    status: Type.Optional(Type.Union([status, Type.Null()])),
  },
  { additionalProperties: false },
);
export type PatchTask = Static<typeof PatchTask>;

export const writableFields = ['title', 'description', 'status', 'assigneeID'] as const;

export type BodySchema = TSchema & { readonly properties: Readonly<Record<string, TSchema>> };

/** From the bytes of a body to a checked value, or to everything that is wrong with it. */
import { isUtf8 } from 'node:buffer';
import { Ajv, type ErrorObject } from 'ajv';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';
import Format from 'typebox/format';
import { idMax, jsonDepthMax } from '../src/contract/limits.ts';
import { type Fault, faultOf } from '../src/contract/problems.ts';
import {
  type BodySchema,
  CreateTask,
  isStorable,
  PatchTask,
  type Status,
  storableFormat,
  UpdateTask,
  writableFields,
} from '../src/contract/task.ts';

export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly faults: readonly [Fault, ...Fault[]] };

/** A task that is to be. */
export interface TaskDraft {
  readonly title: string;
  readonly description: string;
  readonly status: Status;
  readonly assigneeId: number;
}

/** What a change writes; `null` leaves the field as it is. Only a patch may have nothing else. */
export type TaskChange = { readonly [Field in keyof TaskDraft]: TaskDraft[Field] | null };

export interface BodyDecoder {
  create(body: Uint8Array): Decoded<TaskDraft>;
  change(body: Uint8Array): Decoded<TaskChange>;
  patch(body: Uint8Array): Decoded<TaskChange>;
}

/** Compiles the schemas: tens of milliseconds, once per thread. */
export function createBodyDecoder(): BodyDecoder {
  Format.Set(storableFormat, isStorable);
  const ajv = new Ajv({ allErrors: true });
  ajv.addFormat(storableFormat, isStorable);
  const readCreate = createReader(CreateTask, ajv);
  const readUpdate = createReader(UpdateTask, ajv);
  const readPatch = createReader(PatchTask, ajv);

  function create(body: Uint8Array): Decoded<TaskDraft> {
    const read = readCreate(body);
    if (!read.ok) return read;
    const { title, description, status } = read.value;
    const assigneeId = assigneeOf(read.value);
    if (assigneeId === conflicting) return { ok: false, faults: [aliasFault] };
    return {
      ok: true,
      value: {
        title,
        description: description ?? descriptionDefault,
        status: status ?? statusDefault,
        assigneeId: assigneeId ?? nobody,
      },
    };
  }

  function change(body: Uint8Array): Decoded<TaskChange> {
    const read = readUpdate(body);
    if (!read.ok) return read;
    const { title = null, description = null, status = null } = read.value;
    const assigneeId = assigneeOf(read.value);
    if (assigneeId === conflicting) return { ok: false, faults: [aliasFault] };
    if (title === null && description === null && status === null && assigneeId === null) {
      return { ok: false, faults: [nothingToChange] };
    }
    return { ok: true, value: { title, description, status, assigneeId } };
  }

  function patch(body: Uint8Array): Decoded<TaskChange> {
    const read = readPatch(body);
    if (!read.ok) return read;
    const { title = null, description, status } = read.value;
    const assigneeId = assigneeOf(read.value);
    if (assigneeId === conflicting) return { ok: false, faults: [aliasFault] };
    return {
      ok: true,
      value: {
        title,
        description: description === undefined ? null : (description ?? descriptionDefault),
        status: status === undefined ? null : (status ?? statusDefault),
        assigneeId,
      },
    };
  }

  return { create, change, patch };
}

const descriptionDefault = '';
const statusDefault: Status = 'pending';
const nobody = 0;

const aliasFault: Fault = {
  code: 'invalid',
  field: 'assigneeID',
  message: 'must be the same as assignee_id where both are given',
};

const nothingToChange: Fault = {
  code: 'missing_field',
  field: null,
  message: `must have at least one of ${writableFields.join(', ')}`,
};

const conflicting = Symbol('assigneeID and assignee_id differ');

/** `null`: not given. A given `null` is 0, nobody. */
function assigneeOf(body: {
  readonly assigneeID?: number | null;
  readonly assignee_id?: number | null;
}): number | null | typeof conflicting {
  const { assigneeID, assignee_id: alias } = body;
  if (assigneeID === undefined) return alias === undefined ? null : (alias ?? nobody);
  if (alias !== undefined && (alias ?? nobody) !== (assigneeID ?? nobody)) return conflicting;
  return assigneeID ?? nobody;
}

/**
 * The compiled check costs a tenth of a microsecond and says yes or no; Ajv, which lists what is
 * wrong, runs only after a no.
 */
function createReader<Schema extends BodySchema>(schema: Schema, ajv: Ajv) {
  const check = Compile(schema);
  const explain = ajv.compile(schema);

  return function readBody(body: Uint8Array): Decoded<Static<Schema>> {
    const value = parseJson(body);
    if (value === undefined) return { ok: false, faults: faultOf('malformed_json') };
    if (!isPlainObject(value)) {
      return { ok: false, faults: faultOf('invalid', 'must be one JSON object') };
    }
    if (exceedsDepth(value)) {
      return { ok: false, faults: faultOf('invalid', `must nest at most ${jsonDepthMax} deep`) };
    }
    if (check.Check(value)) return { ok: true, value };
    explain(value);
    return { ok: false, faults: describeErrors(explain.errors ?? []) };
  };
}

/** `undefined`: not JSON in UTF-8. A byte order mark is not JSON either (RFC 8259, section 8.1). */
function parseJson(body: Uint8Array): unknown {
  if (!isUtf8(body)) return undefined;
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
  } catch {
    return undefined;
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Only a field that is ignored or refused can nest at all, so most bodies cost no recursion. */
function exceedsDepth(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === jsonDepthMax) return true;
  for (const key in value) {
    if (exceedsDepth((value as Readonly<Record<string, unknown>>)[key], depth + 1)) return true;
  }
  return false;
}

/** One fault a field: the first that Ajv found, in the order in which it found them. */
function describeErrors(errors: readonly ErrorObject[]): readonly [Fault, ...Fault[]] {
  const faults = new Map<string | null, Fault>();
  for (const error of errors) {
    const fault = describeErrorOf(error);
    if (!faults.has(fault.field)) faults.set(fault.field, fault);
  }
  const [first, ...rest] = faults.values();
  return first === undefined ? faultOf('invalid') : [first, ...rest];
}

function describeErrorOf({ keyword, instancePath, params }: ErrorObject): Fault {
  const field = instancePath === '' ? null : instancePath.slice(1);
  switch (keyword) {
    case 'required':
      return { code: 'missing_field', field: params['missingProperty'], message: 'is required' };
    case 'additionalProperties':
      return {
        code: 'unknown_field',
        field: params['additionalProperty'],
        message: 'is not a field of a task',
      };
    case 'maxLength':
      return {
        code: 'too_long',
        field,
        message: `must have at most ${params['limit']} characters`,
      };
    case 'minLength':
    case 'pattern':
      return { code: 'invalid', field, message: 'must not be blank' };
    case 'format':
      return {
        code: 'invalid',
        field,
        message: 'must not contain U+0000 or a lone surrogate',
      };
    case 'enum':
      return {
        code: 'invalid',
        field,
        message: `must be one of ${(params['allowedValues'] as string[]).join(', ')}`,
      };
    default:
      return { code: 'invalid', field, message: `must be ${expectedType(field)}` };
  }
}

function expectedType(field: string | null): string {
  return field === 'assigneeID' || field === 'assignee_id'
    ? `an integer from 0 to ${idMax}`
    : 'a string';
}

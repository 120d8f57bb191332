/** Written by make doc from docs/openapi.json: change that, not this. */

/** A problem whose faults have only these codes. */
export type ProblemOf<Code extends Fault['code']> = Omit<Problem, 'errors'> & {
  readonly errors: readonly (Omit<Fault, 'code'> & { readonly code: Code })[];
};

export type Task = {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  /** `done` is an older name of `completed`, kept as it was sent. */
  readonly status: 'pending' | 'in_progress' | 'completed' | 'done' | 'canceled';
  readonly assigneeID: number;
  readonly createdAt: string;
  readonly updatedAt: string;
};

export type CreateTask = {
  /** Stored exactly as sent; not blank. Without U+0000 and lone surrogates. */
  readonly title: string;
  /** Stored exactly as sent. Without U+0000 and lone surrogates. */
  readonly description?: string;
  /** `done` is an older name of `completed`, kept as it was sent. */
  readonly status?: 'pending' | 'in_progress' | 'completed' | 'done' | 'canceled';
  /** The number of a person; 0 or null: nobody. `assignee_id` is another name for the field. */
  readonly assigneeID?: number | null;
  /** Ignored. */
  readonly id?: unknown;
  /** Ignored. */
  readonly createdAt?: unknown;
  /** Ignored. */
  readonly updatedAt?: unknown;
  /** Ignored. */
  readonly created_at?: unknown;
  /** Ignored. */
  readonly updated_at?: unknown;
};

export type UpdateTask = {
  /** Stored exactly as sent; not blank. Without U+0000 and lone surrogates. */
  readonly title?: string;
  /** Stored exactly as sent. Without U+0000 and lone surrogates. */
  readonly description?: string;
  /** `done` is an older name of `completed`, kept as it was sent. */
  readonly status?: 'pending' | 'in_progress' | 'completed' | 'done' | 'canceled';
  /** The number of a person; 0 or null: nobody. `assignee_id` is another name for the field. */
  readonly assigneeID?: number | null;
  /** Ignored. */
  readonly id?: unknown;
  /** Ignored. */
  readonly createdAt?: unknown;
  /** Ignored. */
  readonly updatedAt?: unknown;
  /** Ignored. */
  readonly created_at?: unknown;
  /** Ignored. */
  readonly updated_at?: unknown;
};

export type PatchTask = {
  /** Stored exactly as sent; not blank. Without U+0000 and lone surrogates. */
  readonly title?: string;
  readonly description?: string | null;
  readonly status?: 'pending' | 'in_progress' | 'completed' | 'done' | 'canceled' | null;
  /** The number of a person; 0 or null: nobody. `assignee_id` is another name for the field. */
  readonly assigneeID?: number | null;
  /** Ignored. */
  readonly id?: unknown;
  /** Ignored. */
  readonly createdAt?: unknown;
  /** Ignored. */
  readonly updatedAt?: unknown;
  /** Ignored. */
  readonly created_at?: unknown;
  /** Ignored. */
  readonly updated_at?: unknown;
};

export type TaskAnswer = {
  readonly data: Task;
  readonly meta: null;
  readonly message: 'success';
  readonly errors: readonly (unknown)[];
  readonly status: 'ok';
};

export type TaskListAnswer = {
  readonly data: readonly (Task)[];
  readonly meta: ListMeta;
  readonly message: 'success';
  readonly errors: readonly (unknown)[];
  readonly status: 'ok';
};

/** Where the page stands in the list. */
export type ListMeta = {
  /** null where the list is paged by cursor. */
  readonly page: number | null;
  readonly per_page: number;
  readonly total: number;
  readonly total_pages: number;
  /** Only there when counting stopped at a bound: there may be more. */
  readonly total_exact?: false;
  /** Only there with cursor; null at the end of the list. */
  readonly next_cursor?: string | null;
};

export type AliveAnswer = {
  readonly data: {
  readonly alive: true;
};
  readonly meta: null;
  readonly message: 'success';
  readonly errors: readonly (unknown)[];
  readonly status: 'ok';
};

export type ReadyAnswer = {
  readonly data: {
  readonly ready: true;
};
  readonly meta: null;
  readonly message: 'success';
  readonly errors: readonly (unknown)[];
  readonly status: 'ok';
};

/** One thing that is wrong. */
export type Fault = {
  readonly code: 'malformed_json' | 'missing_field' | 'invalid' | 'too_long' | 'unknown_field' | 'unknown_parameter' | 'unauthorized' | 'not_found' | 'method_not_allowed' | 'conflict' | 'length_required' | 'precondition_failed' | 'payload_too_large' | 'uri_too_long' | 'unsupported_media_type' | 'idempotency_key_reused' | 'rejected' | 'internal' | 'not_implemented' | 'overloaded' | 'unavailable' | 'outcome_unknown';
  /** The field, parameter or header at fault; null when it is the request as a whole. */
  readonly field: string | null;
  readonly message: string;
};

/** An error in the envelope. */
export type Problem = {
  readonly data: null;
  readonly meta: null;
  readonly message: string;
  /** Everything that is wrong. The first decides the status. */
  readonly errors: readonly (Fault)[];
  readonly status: 'fail';
};

/** An error as RFC 9457, for `Accept: application/problem+json`. */
export type ProblemDetails = {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly instance?: string;
  /** Everything that is wrong. The first decides the status. */
  readonly errors: readonly (Fault)[];
};

export interface Operations {
  readonly listTasks: {
    readonly input: { readonly query?: { readonly page?: number; readonly per_page?: number; readonly sort?: 'id' | '-id' | 'title' | '-title' | 'status' | '-status' | 'assigneeID' | '-assigneeID' | 'createdAt' | '-createdAt' | 'updatedAt' | '-updatedAt'; readonly filter?: string; readonly status?: 'pending' | 'in_progress' | 'completed' | 'done' | 'canceled'; readonly title?: string; readonly assigneeID?: number; readonly cursor?: string }; readonly headers?: { readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: TaskListAnswer }
      | { readonly status: 304; readonly headers: Headers; readonly body: null }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid' | 'unknown_parameter'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable'> };
  };
  readonly createTask: {
    readonly input: { readonly headers?: { readonly 'Idempotency-Key'?: string; readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string }; readonly body: CreateTask };
    readonly answer:
      | { readonly status: 201; readonly headers: Headers; readonly body: TaskAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid' | 'malformed_json' | 'too_long' | 'unknown_field' | 'missing_field'> }
      | { readonly status: 409; readonly headers: Headers; readonly body: ProblemOf<'conflict'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 412; readonly headers: Headers; readonly body: ProblemOf<'precondition_failed'> }
      | { readonly status: 413; readonly headers: Headers; readonly body: ProblemOf<'payload_too_large'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 415; readonly headers: Headers; readonly body: ProblemOf<'unsupported_media_type'> }
      | { readonly status: 422; readonly headers: Headers; readonly body: ProblemOf<'idempotency_key_reused' | 'rejected'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable' | 'outcome_unknown'> };
  };
  readonly readTask: {
    readonly input: { readonly path: { readonly id: number }; readonly headers?: { readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: TaskAnswer }
      | { readonly status: 304; readonly headers: Headers; readonly body: null }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid'> }
      | { readonly status: 404; readonly headers: Headers; readonly body: ProblemOf<'not_found'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable'> };
  };
  readonly updateTask: {
    readonly input: { readonly path: { readonly id: number }; readonly headers?: { readonly 'If-Match'?: string; readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string }; readonly body: UpdateTask };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: TaskAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid' | 'malformed_json' | 'too_long' | 'unknown_field' | 'missing_field'> }
      | { readonly status: 404; readonly headers: Headers; readonly body: ProblemOf<'not_found'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 412; readonly headers: Headers; readonly body: ProblemOf<'precondition_failed'> }
      | { readonly status: 413; readonly headers: Headers; readonly body: ProblemOf<'payload_too_large'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 415; readonly headers: Headers; readonly body: ProblemOf<'unsupported_media_type'> }
      | { readonly status: 422; readonly headers: Headers; readonly body: ProblemOf<'rejected'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable' | 'outcome_unknown'> };
  };
  readonly patchTask: {
    readonly input: { readonly path: { readonly id: number }; readonly headers?: { readonly 'If-Match'?: string; readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string }; readonly body: PatchTask };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: TaskAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid' | 'malformed_json' | 'too_long' | 'unknown_field'> }
      | { readonly status: 404; readonly headers: Headers; readonly body: ProblemOf<'not_found'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 412; readonly headers: Headers; readonly body: ProblemOf<'precondition_failed'> }
      | { readonly status: 413; readonly headers: Headers; readonly body: ProblemOf<'payload_too_large'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 415; readonly headers: Headers; readonly body: ProblemOf<'unsupported_media_type'> }
      | { readonly status: 422; readonly headers: Headers; readonly body: ProblemOf<'rejected'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable' | 'outcome_unknown'> };
  };
  readonly deleteTask: {
    readonly input: { readonly path: { readonly id: number }; readonly headers?: { readonly 'If-Match'?: string; readonly 'If-None-Match'?: string; readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 204; readonly headers: Headers; readonly body: null }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid'> }
      | { readonly status: 404; readonly headers: Headers; readonly body: ProblemOf<'not_found'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 412; readonly headers: Headers; readonly body: ProblemOf<'precondition_failed'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 422; readonly headers: Headers; readonly body: ProblemOf<'rejected'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'overloaded' | 'unavailable' | 'outcome_unknown'> };
  };
  readonly getLivez: {
    readonly input: { readonly headers?: { readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: AliveAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> };
  };
  readonly getHealthz: {
    readonly input: { readonly headers?: { readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: AliveAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> };
  };
  readonly getReadyz: {
    readonly input: { readonly headers?: { readonly 'X-Request-Id'?: string; readonly traceparent?: string } };
    readonly answer:
      | { readonly status: 200; readonly headers: Headers; readonly body: ReadyAnswer }
      | { readonly status: 400; readonly headers: Headers; readonly body: ProblemOf<'invalid'> }
      | { readonly status: 411; readonly headers: Headers; readonly body: ProblemOf<'length_required'> }
      | { readonly status: 414; readonly headers: Headers; readonly body: ProblemOf<'uri_too_long'> }
      | { readonly status: 500; readonly headers: Headers; readonly body: ProblemOf<'internal'> }
      | { readonly status: 501; readonly headers: Headers; readonly body: ProblemOf<'not_implemented'> }
      | { readonly status: 503; readonly headers: Headers; readonly body: ProblemOf<'unavailable'> };
  };
}

export const routes = {
  listTasks: { method: 'GET', path: '/api/tasks' },
  createTask: { method: 'POST', path: '/api/tasks' },
  readTask: { method: 'GET', path: '/api/tasks/{id}' },
  updateTask: { method: 'PUT', path: '/api/tasks/{id}' },
  patchTask: { method: 'PATCH', path: '/api/tasks/{id}' },
  deleteTask: { method: 'DELETE', path: '/api/tasks/{id}' },
  getLivez: { method: 'GET', path: '/livez' },
  getHealthz: { method: 'GET', path: '/healthz' },
  getReadyz: { method: 'GET', path: '/readyz' },
} as const satisfies Readonly<
  Record<keyof Operations, { method: string; path: string }>
>;

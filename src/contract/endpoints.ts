/** The table of endpoints. Routes, Allow headers and rules for bodies are derived from it. */

/**
 * The kinds of requests that the executor runs. A batch has requests of one kind. A search is a
 * list that may be slow: see list-query.ts.
 */
export const kinds = ['read', 'create', 'change', 'remove', 'list', 'search'] as const;
export type Kind = (typeof kinds)[number];
/** Kinds that answer with a list. */
export type ListKind = 'list' | 'search';
/** Kinds that answer with a task, or with what became of it. */
export type TaskKind = Exclude<Kind, ListKind>;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Answered by the front end itself: is the process alive, can it serve requests. */
export type Probe = 'alive' | 'ready';

export type Action = Kind | Probe;

export interface Endpoint {
  readonly method: Method;
  /** Absolute. A last segment `:id` stands for a task id. */
  readonly path: string;
  readonly action: Action;
}

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/api/tasks', action: 'list' },
  { method: 'POST', path: '/api/tasks', action: 'create' },
  { method: 'GET', path: '/api/tasks/:id', action: 'read' },
  { method: 'PUT', path: '/api/tasks/:id', action: 'change' },
  { method: 'PATCH', path: '/api/tasks/:id', action: 'change' },
  { method: 'DELETE', path: '/api/tasks/:id', action: 'remove' },
  { method: 'GET', path: '/livez', action: 'alive' },
  { method: 'GET', path: '/healthz', action: 'alive' },
  { method: 'GET', path: '/readyz', action: 'ready' },
];

/** Kinds that return a list. */
export function isList(kind: Kind): kind is ListKind {
  return kind === 'list' || kind === 'search';
}

/** Kinds whose requests have a body. */
export function hasBody(kind: Kind): boolean {
  return kind === 'create' || kind === 'change';
}

/** Kinds that change nothing: they may be retried. */
export function isRead(kind: Kind): boolean {
  return kind === 'read' || isList(kind);
}

/** Maps method and path to an endpoint. Built once from the table of endpoints. */
import type { Action, Endpoint, Method } from '../contract/endpoints.ts';

/** All methods of one path. */
export interface Resource {
  /** The path in the table of endpoints. */
  readonly route: string;
  readonly actions: Readonly<Partial<Record<Method, Action>>>;
  /** The value of Allow. */
  readonly allow: string;
  /** The path ends with a task id. */
  readonly hasId: boolean;
}

export interface Match {
  readonly resource: Resource;
  /** The text at `:id`, not decoded; empty for a path without one. */
  readonly id: string;
}

export interface Router {
  /** @param path without the query. @returns `undefined`: no such path. */
  match(path: string): Match | undefined;
}

const idSegment = '/:id';

export function createRouter(endpoints: readonly Endpoint[]): Router {
  const byPath = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const group = byPath.get(endpoint.path) ?? [];
    group.push(endpoint);
    byPath.set(endpoint.path, group);
  }

  const fixed = new Map<string, Match>();
  const numbered: { readonly prefix: string; readonly resource: Resource }[] = [];
  for (const [path, group] of byPath) {
    const resource = createResource(path, group);
    if (resource.hasId) {
      numbered.push({ prefix: path.slice(0, -idSegment.length + 1), resource });
    } else {
      fixed.set(path, { resource, id: '' });
      fixed.set(`${path}/`, { resource, id: '' });
    }
  }

  function match(path: string): Match | undefined {
    const found = fixed.get(path);
    if (found !== undefined) return found;
    for (const { prefix, resource } of numbered) {
      if (!path.startsWith(prefix)) continue;
      const id = path.slice(prefix.length);
      return id.includes('/') ? undefined : { resource, id };
    }
    return undefined;
  }

  return { match };
}

function createResource(route: string, group: readonly Endpoint[]): Resource {
  const actions: Partial<Record<Method, Action>> = {};
  for (const { method, action } of group) {
    actions[method] = action;
    if (method === 'GET') actions.HEAD = action;
  }
  const hasId = route.endsWith(idSegment);
  return { route, actions, hasId, allow: [...Object.keys(actions), 'OPTIONS'].join(', ') };
}

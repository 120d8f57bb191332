/** How subjects are called in tables and plots, in the order in which they stand there. */
import { peers } from './peers.ts';

const titles: Readonly<Record<string, string>> = {
  ours: 'this service',
  ...Object.fromEntries(peers.map(({ name, title }) => [name, title])),
  bare: 'limit: bare uWebSockets.js, the same bytes',
  'bare-async': 'limit: the same, answered a turn later',
  'pgbench-select': 'limit: pgbench, prepared select',
  'pgbench-insert': 'limit: pgbench, insert, our triggers',
  'pgbench-insert-without-triggers': 'limit: pgbench, insert',
  'pgbench-update-without-triggers': 'limit: pgbench, update',
};

export function titleOf(subject: string): string {
  return titles[subject] ?? subject;
}

export function inOrder<Item extends { readonly subject: string }>(items: readonly Item[]): Item[] {
  const order = Object.keys(titles);
  return items.toSorted((a, b) => order.indexOf(a.subject) - order.indexOf(b.subject));
}

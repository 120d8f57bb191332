/** The package has no types. */
declare module '@reporters/github' {
  import type { TestEvent } from 'node:test/reporters';

  export default function github(source: AsyncIterable<TestEvent>): AsyncGenerator<string, void>;
}

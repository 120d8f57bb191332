import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localTarget, parseMarkdown } from '../support/markdown.ts';

const text = `# A \`code\` name, and: more!
See [one](other.md#part) and \`[no](link.md)\`, [two](#a-code-name-and-more) \`make it\`.

\`\`\`sh
make that   # [not](a-link.md)
\`\`\`

## Twice
## Twice
## [Linked](x.md) to 10.5
`;
const found = parseMarkdown('docs/page.md', text.split('\n'));

test('headings have the names that GitHub gives them', () => {
  assert.deepEqual(
    [...found.anchors],
    ['a-code-name-and-more', 'twice', 'twice-1', 'linked-to-105'],
  );
});

test('links are found outside of code, and code with its line', () => {
  assert.deepEqual(
    found.links.map(({ text: link, line }) => [link, line]),
    [
      ['other.md#part', 2],
      ['#a-code-name-and-more', 2],
      ['x.md', 10],
    ],
  );
  const code = found.code.map(({ text: span, line }) => [span, line]);
  assert.deepEqual(code.slice(-2), [
    ['make it', 2],
    ['make that   # [not](a-link.md)', 5],
  ]);
});

test('a target is a file from the root, with what stands behind the mark', () => {
  const target = (link: string) => localTarget({ file: 'docs/page.md', line: 1, text: link });
  assert.deepEqual(target('../README.md#limits'), { path: 'README.md', anchor: 'limits' });
  assert.deepEqual(target('#here'), { path: 'docs/page.md', anchor: 'here' });
  assert.deepEqual(target('adr/'), { path: 'docs/adr', anchor: '' });
  assert.equal(target('https://example.org/x.md'), undefined);
  assert.equal(target('mailto:a@b.c'), undefined);
});

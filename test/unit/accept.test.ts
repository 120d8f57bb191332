import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMediaType } from '../../src/contract/accept.ts';
import { createProblemFormats, problemContentType } from '../../src/contract/problems.ts';
import { acceptsEnvelope, acceptsProblem } from '../support/accept-cases.ts';

const formatFor = createProblemFormats();

test('an error is what the client likes best, the envelope where it likes both', () => {
  for (const accept of acceptsProblem) assert.equal(formatFor(accept), 'problem', accept);
  for (const accept of acceptsEnvelope) assert.equal(formatFor(accept), 'envelope', accept);
});

test('the choice for one header is not the answer to another', () => {
  for (let round = 0; round < 2; round++) {
    assert.equal(formatFor('application/problem+json'), 'problem');
    assert.equal(formatFor('application/problem+json;q=0'), 'envelope');
    assert.equal(formatFor(''), 'envelope');
  }
});

test('the most precise range counts, with parameters as the offer has them', () => {
  const text = 'text/plain; version=0.0.4; charset=utf-8';
  const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const cases: readonly [string, string][] = [
    ['', text],
    ['*/*', text],
    ['image/png', text],
    ['application/openmetrics-text', open],
    ['application/openmetrics-text;version=1.0.0', open],
    ['application/openmetrics-text; VERSION="1.0.0" ;q=0.5, text/plain;q=0.4', open],
    ['application/openmetrics-text;version=0.0.1', text],
    ['application/openmetrics-text;q=0.4, text/plain;q=0.5', text],
    ['text/*;q=0.1, */*;q=0.2', open],
    ['text/*, text/plain;q=0, */*;q=0.1', open],
    ['text/plain;version=0.0.4, text/plain;q=0', text],
    // Prometheus 2 and 3.
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      open,
    ],
    [
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
      text,
    ],
  ];
  for (const [accept, expected] of cases) {
    assert.equal(chooseMediaType(accept, [text, open]), expected, accept);
  }
});

test('no header throws, and each gets one of the offers', () => {
  const pieces = ['a/b', '*', '/', ';', ',', '"', '\\', 'q=', '=', ' ', '1.', '.5', '\u00e9', 'q'];
  const offers = [problemContentType.envelope, problemContentType.problem] as const;
  let seed = 1;
  for (let round = 0; round < 20_000; round++) {
    let accept = '';
    for (let place = 0; place < 8; place++) {
      seed = (seed * 48_271) % 2_147_483_647;
      accept += pieces[seed % pieces.length];
    }
    assert.ok(offers.includes(chooseMediaType(accept, offers)));
  }
});

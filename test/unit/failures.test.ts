import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure } from '../../workers/failures.ts';

function errorWith(code: string): Error {
  return Object.assign(new Error('secret value in the message'), { code });
}

test('a connection that was never made is unavailable, for writes too', () => {
  for (const code of ['ECONNREFUSED', 'ENOENT', 'CONNECT_TIMEOUT', '57P03']) {
    assert.equal(describeFailure(errorWith(code), false).code, 'unavailable', code);
  }
});

test('a connection that broke leaves the outcome of a write unknown', () => {
  for (const code of ['CONNECTION_CLOSED', 'ECONNRESET', '57P01', '08006']) {
    assert.equal(describeFailure(errorWith(code), false).code, 'outcome_unknown', code);
    assert.equal(describeFailure(errorWith(code), true).code, 'unavailable', code);
    assert.equal(describeFailure(errorWith(code), true).connectionLost, true, code);
  }
});

test('an error of the server about a row makes the rows run one by one', () => {
  for (const code of ['23514', '22003', '40P01', 'XX000']) {
    assert.equal(describeFailure(errorWith(code), false).perRow, true, code);
  }
});

test('a full, read-only or slow server is unavailable, and the rows are not tried again', () => {
  for (const code of ['53100', '53300', '58030', '25006', '57014', '55P03']) {
    const failure = describeFailure(errorWith(code), false);
    assert.deepEqual([failure.code, failure.perRow], ['unavailable', false], code);
  }
});

test('a schema that is not there, or not yet, is unavailable and no bug', () => {
  for (const code of ['3D000', '42P01', '42703', '42883', '0A000', '26000', '42501']) {
    const failure = describeFailure(errorWith(code), false);
    assert.deepEqual([failure.code, failure.perRow], ['unavailable', false], code);
  }
});

test('after a bug no row is tried again: the statement may have been committed', () => {
  for (const error of [new TypeError('secret'), 'secret']) {
    const failure = describeFailure(error, false);
    assert.deepEqual([failure.code, failure.perRow], ['internal', false]);
  }
  assert.match(describeFailure(new TypeError('secret'), false).cause, /^TypeError at .*failures/);
});

test('the cause for the log is a code and never a message', () => {
  for (const error of [errorWith('23514'), new TypeError('secret'), 'secret', undefined]) {
    assert.doesNotMatch(describeFailure(error, false).cause, /secret/);
  }
});

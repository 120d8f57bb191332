import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerError } from '../../src/database/pipeline/server-error.ts';
import { describeFailure, impossibleRows } from '../../src/tasks/failures.ts';

function errorWith(code: string): Error {
  return Object.assign(new Error('secret value in the message'), { code });
}

/** An error as the server reports it during execution. */
function reported(code: string, fields: Partial<ServerError> = {}): Error {
  return Object.assign(errorWith(code), {
    severity: 'ERROR',
    routine: '',
    constraint: '',
    hasContext: false,
    isRunning: true,
    ...fields,
  });
}

const write = (error: unknown) => describeFailure(error, false);
const read = (error: unknown) => describeFailure(error, true);

test('a connection that was never made is unavailable, for writes too', () => {
  for (const code of ['ECONNREFUSED', 'ENOENT', 'CONNECT_TIMEOUT', '57P03']) {
    assert.equal(write(errorWith(code)).code, 'unavailable', code);
  }
});

test('a connection that broke leaves the outcome of a write unknown', () => {
  for (const code of ['CONNECTION_CLOSED', 'ECONNRESET', '57P01', '08006']) {
    assert.equal(write(errorWith(code)).code, 'outcome_unknown', code);
    assert.equal(read(errorWith(code)).code, 'unavailable', code);
    assert.equal(read(errorWith(code)).course, 'lost', code);
  }
});

test('an error that ends the session leaves the outcome unknown, whatever its SQLSTATE', () => {
  for (const code of ['40001', '25P03', '57P05', 'XX000', '53200']) {
    for (const severity of ['FATAL', 'PANIC']) {
      const failure = write(reported(code, { severity }));
      assert.deepEqual([failure.code, failure.course], ['outcome_unknown', 'lost'], code);
    }
  }
  // Refused before anything was sent.
  assert.equal(write(reported('53300', { severity: 'FATAL' })).code, 'unavailable');
});

test('a code of the system that no list has leaves the outcome of a write unknown', () => {
  for (const code of ['EPROTO', 'ENETDOWN', 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC']) {
    const failure = write(errorWith(code));
    assert.deepEqual(
      [failure.code, failure.course, failure.perRow],
      ['outcome_unknown', 'lost', false],
    );
  }
  const bug = Object.assign(new RangeError('secret'), { code: 'ERR_OUT_OF_RANGE' });
  assert.deepEqual([write(bug).code, write(bug).course], ['internal', 'bug']);
});

test('a connection that was refused is unavailable', () => {
  for (const code of ['28P01', '28000', '3D000', '53300', '57P03']) {
    assert.equal(write(errorWith(code)).code, 'unavailable', code);
  }
});

test('a trigger that reports a lost connection of its own has not lost ours', () => {
  for (const code of ['08006', '08001', '57P01', '57P03']) {
    const failure = write(reported(code, { hasContext: true }));
    assert.deepEqual([failure.code, failure.course], ['unavailable', 'unavailable'], code);
  }
});

test('a session in the failed transaction of somebody else is given up, and nothing was sent', () => {
  const failure = write(reported('25P02'));
  assert.deepEqual([failure.code, failure.course], ['unavailable', 'lost']);
});

/** Appendix A of the manual: the results of a write and a read, and whether rows run in halves. */
const classes: Readonly<Record<string, readonly [string, string, boolean]>> = {
  '02000': ['internal', 'internal', true],
  '03000': ['internal', 'internal', true],
  '08000': ['unavailable', 'unavailable', false],
  '09000': ['internal', 'internal', true],
  '0A000': ['unavailable', 'unavailable', false],
  '0B000': ['internal', 'internal', true],
  '0F000': ['internal', 'internal', true],
  '0L000': ['internal', 'internal', true],
  '0P000': ['internal', 'internal', true],
  '0Z000': ['internal', 'internal', true],
  '20000': ['internal', 'internal', true],
  '21000': ['internal', 'internal', true],
  '22001': ['rejected', 'internal', true],
  '22003': ['rejected', 'internal', true],
  '22012': ['rejected', 'internal', true],
  '2200H': ['unavailable', 'unavailable', false],
  '22P02': ['rejected', 'internal', true],
  '23000': ['rejected', 'internal', true],
  '23001': ['rejected', 'internal', true],
  '23502': ['rejected', 'internal', true],
  '23503': ['rejected', 'internal', true],
  '23505': ['rejected', 'internal', true],
  '23514': ['rejected', 'internal', true],
  '23P01': ['rejected', 'internal', true],
  '24000': ['internal', 'internal', true],
  '25001': ['unavailable', 'unavailable', false],
  '25006': ['unavailable', 'unavailable', false],
  '26000': ['unavailable', 'unavailable', false],
  '27000': ['rejected', 'internal', true],
  '28000': ['unavailable', 'unavailable', false],
  '2B000': ['internal', 'internal', true],
  '2D000': ['internal', 'internal', true],
  '2F000': ['internal', 'internal', true],
  '34000': ['internal', 'internal', true],
  '38000': ['internal', 'internal', true],
  '39000': ['internal', 'internal', true],
  '3B000': ['internal', 'internal', true],
  '3D000': ['unavailable', 'unavailable', false],
  '3F000': ['unavailable', 'unavailable', false],
  '40000': ['unavailable', 'unavailable', true],
  '40001': ['unavailable', 'unavailable', true],
  '40P01': ['unavailable', 'unavailable', true],
  '42501': ['unavailable', 'unavailable', false],
  '42601': ['internal', 'internal', true],
  '42703': ['unavailable', 'unavailable', false],
  '42883': ['unavailable', 'unavailable', false],
  '42P01': ['unavailable', 'unavailable', false],
  '44000': ['rejected', 'internal', true],
  '53100': ['unavailable', 'unavailable', false],
  '53200': ['unavailable', 'unavailable', false],
  '54000': ['rejected', 'internal', true],
  '54001': ['rejected', 'internal', true],
  '55000': ['unavailable', 'unavailable', false],
  '55006': ['unavailable', 'unavailable', false],
  '55P03': ['unavailable', 'unavailable', true],
  '57014': ['unavailable', 'unavailable', true],
  '57P04': ['unavailable', 'unavailable', false],
  '58030': ['unavailable', 'unavailable', false],
  '72000': ['unavailable', 'unavailable', true],
  F0000: ['unavailable', 'unavailable', false],
  HV000: ['unavailable', 'unavailable', false],
  P0001: ['rejected', 'internal', true],
  P0002: ['rejected', 'internal', true],
  XX000: ['internal', 'internal', true],
  XX001: ['unavailable', 'unavailable', true],
};

for (const [code, expected] of Object.entries(classes)) {
  test(`SQLSTATE ${code} is ${expected[0]} for a write, ${expected[1]} for a read`, () => {
    const failure = write(reported(code));
    assert.deepEqual([failure.code, read(reported(code)).code, failure.perRow], expected);
  });
}

test('an error inside of a function of the database is the function’s', () => {
  const inside = { hasContext: true };
  for (const code of ['22012', '21000', '24000', '38000', '2D000', 'XX000', 'TA001']) {
    const failure = write(reported(code, inside));
    assert.deepEqual([failure.code, failure.perRow], ['rejected', true], code);
  }
  // A table or privilege that a trigger lacks concerns an operator, and perhaps only one row.
  for (const code of ['42P01', '42501', '42601', '3F000', '0A000']) {
    const failure = write(reported(code, inside));
    assert.deepEqual([failure.code, failure.perRow], ['unavailable', true], code);
    assert.equal(read(reported(code, inside)).code, 'unavailable');
  }
});

test('an error that a function raises is a refusal, whatever code it takes, but for another try', () => {
  for (const code of ['P0001', '22000', '42501', '08006', '57014', '55P03', 'ABCDE', '00000']) {
    const failure = write(reported(code, { routine: 'exec_stmt_raise', hasContext: true }));
    assert.deepEqual([failure.code, failure.course], ['rejected', 'rejected'], code);
  }
  const again = write(reported('40001', { routine: 'exec_stmt_raise', hasContext: true }));
  assert.equal(again.course, 'again');
  assert.equal(read(reported('P0001', { routine: 'exec_stmt_raise' })).code, 'unavailable');
});

test('a policy that forbids a row rejects it, a right that we lack is an operator’s', () => {
  assert.equal(write(reported('42501', { routine: 'ExecWithCheckOptions' })).code, 'rejected');
  assert.equal(write(reported('42501', { routine: 'aclcheck_error' })).code, 'unavailable');
});

test('a failure before a row is looked at concerns all rows, and one of a value is our bug', () => {
  const planned = { isRunning: false };
  for (const code of ['55P03', '42P01', '40001']) {
    assert.equal(write(reported(code, planned)).perRow, false, code);
  }
  assert.deepEqual(write(reported('22P02', planned)), {
    code: 'internal',
    cause: '22P02',
    course: 'internal',
    perRow: false,
  });
});

test('no row is tried again after a bug: the statement may have been committed', () => {
  for (const error of [new TypeError('secret'), 'secret', impossibleRows('two for one')]) {
    const failure = write(error);
    assert.deepEqual([failure.code, failure.course, failure.perRow], ['internal', 'bug', false]);
  }
  assert.match(write(new TypeError('secret')).cause, /^TypeError at .*failures/);
  assert.equal(write(impossibleRows('two for one')).cause, 'impossible rows: two for one');
});

test('the cause for the log is a code, a constraint or a routine, and never a message', () => {
  for (const error of [reported('23514'), new TypeError('secret'), 'secret', undefined]) {
    assert.doesNotMatch(write(error).cause, /secret/);
  }
  assert.equal(write(reported('23514', { constraint: 'no_13' })).cause, '23514 no_13');
  assert.equal(
    write(reported('P0001', { routine: 'exec_stmt_raise' })).cause,
    'P0001 exec_stmt_raise',
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBasicAuth } from '../../src/admin/basic-auth.ts';

const username = 'who-measures';
const password = 'pass:with:cölons 12';
const isAllowed = createBasicAuth({ username, password });

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

test('the right name and password are let in, in every form that RFC 7617 allows', () => {
  const right = basic(`${username}:${password}`);
  const token = right.slice('Basic '.length);
  for (const header of [right, `basic ${token}`, `BASIC  ${token}`, `${right} `]) {
    assert.equal(isAllowed(header), true, header);
  }
});

test('everything else is kept out', () => {
  const right = basic(`${username}:${password}`);
  for (const header of [
    '',
    'Basic',
    'Basic ',
    'Basic =',
    basic(''),
    basic(':'),
    basic(`${username}:`),
    basic(`:${password}`),
    basic(`${username}:${password} `),
    basic(`${username}:${password}`.slice(0, -1)),
    basic(`${username.toUpperCase()}:${password}`),
    basic(`${password}:${username}`),
    basic(`${username}${password}`),
    `Bearer ${right.slice('Basic '.length)}`,
    right.slice('Basic '.length),
    `${right}, ${right}`,
    `${right}\u0000`,
    right.slice(0, -1),
    `${right}=`,
    right.replace('Basic ', 'Basic\t'),
    `Basic ${Buffer.from(`${username}:${password}`, 'latin1').toString('base64')}`,
    `Basic ${'A'.repeat(100_000)}`,
  ]) {
    assert.equal(isAllowed(header), false, header.slice(0, 100));
  }
});

test('the split between name and password counts as the two are joined, and nowhere else', () => {
  const empty = createBasicAuth({ username: '', password: '' });
  assert.equal(empty(''), false);
  assert.equal(empty(basic(':')), true);
  assert.equal(empty(basic('')), false);
});

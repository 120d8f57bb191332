import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccess, isDirect, isProfilePath, type Visitor } from '../../src/admin/access.ts';
import { isLoopback } from '../../src/base/loopback.ts';
import { addressText } from '../../src/http/peer.ts';

const credentials = { username: 'admin', password: 'admin' };
const here: Visitor = { path: '/debug/pprof/profile', authorization: '', isHere: true };
const known = `Basic ${btoa('admin:admin')}`;
const wrong = `Basic ${btoa('admin:wrong')}`;

test('profiles are for this machine alone while the credentials are the default ones', () => {
  const isAllowed = createAccess({ credentials, profilesOpenLocally: true });
  assert.equal(isAllowed(here), true);
  assert.equal(isAllowed({ ...here, authorization: known }), true);
  for (const other of [
    { path: '/metrics' },
    { path: '/debug/pprofile' },
    { isHere: false },
    // The default credentials are public.
    { isHere: false, authorization: known },
    { authorization: wrong },
  ]) {
    assert.equal(isAllowed({ ...here, ...other }), false, JSON.stringify(other));
  }
  assert.equal(isAllowed({ path: '/metrics', authorization: known, isHere: false }), true);
});

test('profiles ask everybody for credentials that were set', () => {
  const isAllowed = createAccess({ credentials, profilesOpenLocally: false });
  assert.equal(isAllowed(here), false);
  assert.equal(isAllowed({ ...here, authorization: known, isHere: false }), true);
});

test('neither a proxy nor a page of another site passes for a program on this machine', () => {
  const isFrom = (headers: Readonly<Record<string, string>>) =>
    isDirect((name) => ({ host: 'localhost:8080', ...headers })[name] ?? '');
  for (const host of ['localhost', '127.0.0.1', '[::1]:9090', 'LOCALHOST:1']) {
    assert.equal(isFrom({ host }), true, host);
  }
  for (const host of [
    '',
    'rebound.example',
    'localhost.example:8080',
    'localhost:8080.example',
    '127.0.0.1.example',
    '127.0.0.2',
    '[::2]',
    'tasks',
  ]) {
    assert.equal(isFrom({ host }), false, host);
  }
  // An address typed by the user, and links on the service's own pages.
  for (const site of ['none', 'same-origin']) {
    assert.equal(isFrom({ 'sec-fetch-site': site }), true, site);
  }
  for (const [name, value] of [
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-site'],
    ['origin', 'https://evil.example'],
    ['origin', 'http://localhost:8080'],
    ['origin', 'null'],
    ['via', '1.1 proxy'],
    ['forwarded', 'for=127.0.0.1'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', 'localhost'],
    ['x-forwarded-proto', 'https'],
    ['x-real-ip', '127.0.0.1'],
  ] as const) {
    assert.equal(isFrom({ [name]: value }), false, `${name}: ${value}`);
  }
});

test('loopback is this machine', () => {
  for (const address of [
    '127.0.0.1',
    '127.8.9.1',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ]) {
    assert.equal(isLoopback(address), true, address);
  }
  for (const address of [
    '',
    'localhost',
    '10.0.0.1',
    '128.0.0.1',
    '127.1.1.999',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '::2',
    '1127.0.0.1',
  ]) {
    assert.equal(isLoopback(address), false, address);
  }
  assert.equal(isProfilePath('/debug/pprof'), true);
});

test('the address of a socket is told in the same words by both servers', () => {
  const text = (...bytes: number[]) => addressText(new Uint8Array(bytes).buffer);
  const zeros = (count: number) => new Array<number>(count).fill(0);
  assert.equal(text(127, 0, 0, 1), '127.0.0.1');
  assert.equal(isLoopback(text(...zeros(15), 1)), true);
  assert.equal(isLoopback(text(...zeros(10), 255, 255, 127, 0, 0, 1)), true);
  assert.equal(isLoopback(text(...zeros(12), 127, 0, 0, 1)), false);
  assert.equal(isLoopback(text(0x20, 1, ...zeros(13), 1)), false);
  // The connection is closed.
  assert.equal(isLoopback(text()), false);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccess, isLoopback, isProfilePath, type Visitor } from '../../src/admin/access.ts';

const credentials = { username: 'admin', password: 'admin' };
const here: Visitor = {
  path: '/debug/pprof/profile',
  authorization: '',
  host: 'localhost:8080',
  isLocal: true,
};

test('profiles are open on this machine where that is wanted, and nothing else is', () => {
  const isAllowed = createAccess({ credentials, profilesOpenLocally: true });
  assert.equal(isAllowed(here), true);
  for (const host of ['127.0.0.1', '[::1]:9090', 'LOCALHOST']) {
    assert.equal(isAllowed({ ...here, host }), true, host);
  }
  for (const other of [
    { path: '/metrics' },
    { path: '/debug/pprofile' },
    { isLocal: false },
    { host: 'rebound.example' },
    { host: 'localhost.example:8080' },
    { host: '' },
    { authorization: `Basic ${btoa('admin:wrong')}` },
  ]) {
    assert.equal(isAllowed({ ...here, ...other }), false, JSON.stringify(other));
  }
  assert.equal(isAllowed({ ...here, authorization: `Basic ${btoa('admin:admin')}` }), true);
  assert.equal(createAccess({ credentials, profilesOpenLocally: false })(here), false);
});

test('loopback is this machine', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) {
    assert.equal(isLoopback(address), true, address);
  }
  for (const address of ['', '10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', '::2', '1127.0.0.1']) {
    assert.equal(isLoopback(address), false, address);
  }
  assert.equal(isProfilePath('/debug/pprof'), true);
});

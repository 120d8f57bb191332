import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BuildChoice, loadNativeServer } from '../../src/http/native-server.ts';

/**
 * What a package may export: a native function, a JavaScript function, or a reason why it does not
 * load.
 */
const native = { App: Array.prototype.push };
const imitation = { App: () => undefined };
const tooOld = new Error("This version supports only …\n\nError: version `GLIBC_2.38' not found");

type Package = typeof native | typeof imitation | Error;

function load(current: Package, old: Package, wanted: BuildChoice = 'auto') {
  const packages = new Map<string, Package>([
    ['uWebSockets.js', current],
    ['uWebSockets.js-2023', old],
  ]);
  return loadNativeServer(
    wanted,
    (name) => {
      const found = packages.get(name);
      if (found instanceof Error) throw found;
      return found;
    },
    (name) => (name === 'uWebSockets.js' ? '20.57.0' : '20.30.0'),
  );
}

test('the current build is taken where it loads', () => {
  const { uws, name } = load(native, native);
  assert.deepEqual([uws, name], [native, 'uWebSockets.js 20.57.0']);
});

test('the build of 2023 is taken where the current one does not load', () => {
  assert.equal(load(tooOld, native).name, 'uWebSockets.js 20.30.0');
});

test('a build that is asked for has no substitute', () => {
  assert.equal(load(native, native, '2023').name, 'uWebSockets.js 20.30.0');
  assert.throws(() => load(tooOld, native, 'current'), /GLIBC_2\.38/);
  assert.throws(() => load(native, imitation, '2023'), /uWebSockets\.js-2023 has no binary/);
});

test('an imitation is refused, with what each build lacks and what to do', () => {
  for (const old of [imitation, {} as typeof imitation]) {
    assert.throws(
      () => load(tooOld, old),
      /bin\/node.*uWebSockets\.js: Error: version `GLIBC_2\.38' not found; uWebSockets\.js-2023 has no binary/,
    );
  }
});

test('a build that is not installed is told without the folders where it was looked for', () => {
  const absent = Object.assign(new Error("Cannot find module 'x'\nRequire stack:\n- /app/x.js"), {
    code: 'MODULE_NOT_FOUND',
  });
  assert.throws(() => load(tooOld, absent), /uWebSockets\.js-2023: is not installed\)$/);
});

test('the build that is installed has a version', () => {
  assert.match(loadNativeServer('auto').name, /^uWebSockets\.js 20\.\d+\.\d+$/);
});

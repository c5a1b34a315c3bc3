// ./start itself. Only where its build folder is the one that is being tested: it builds what it runs.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { World, exec } from './kit.mjs';

const start = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../start');

test('./start shows three equal databases, the second time on the same data', async (t) => {
  const world = new World(t);
  for (const run of ['first', 'second']) {
    const { code, out, err } = await exec(start, ['--once', '--data', world.path('data')]);
    assert.equal(code, 0, `${run}\n${out}${err}`);
    const hashes = [...out.matchAll(/^([0-9a-f]{64}) {2}-$/gm)].map((m) => m[1]);
    assert.equal(hashes.length, 3);
    assert.equal(new Set(hashes).size, 1);
    assert.equal([...out.matchAll(/^ *135233 +\d+ /gm)].length, 3, out);
    assert.equal(/^\$ skerry import /m.test(out), run === 'first');
  }
});

test('./start refuses what it does not know', async () => {
  assert.equal((await exec(start, ['--nonsense'])).code, 2);
  assert.equal((await exec(start, ['--port', 'x'])).code, 2);
});

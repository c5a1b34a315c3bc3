// ./start itself. Only where its build folder is the one that is being tested: it builds what it runs.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { World, exec } from './kit.mjs';

const start = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../start');

test('./start shows every device with exactly its part, the second time on the same data', async (t) => {
  const world = new World(t);
  for (const run of ['first', 'second']) {
    const { code, out, err } = await exec(start, ['--once', '--data', world.path('data')]);
    assert.equal(code, 0, `${run}\n${out}${err}`);
    const hashes = [...out.matchAll(/^([0-9a-f]{64}) {2}-$/gm)].map((m) => m[1]);
    assert.equal(hashes.length, 4, out);
    assert.equal(hashes[0], hashes[1], 'the office has what the server has');
    assert.equal(hashes[2], hashes[3], 'ana has her households');
    assert.match(out, /^135233 +20\d{3} +10\d{4} *$/m);  // places, households, visits of the office
    assert.match(out, / phone +update +both_changed /);
    assert.match(out, / not_unique +household.card /);
    assert.match(out, /  Priority: .* \(ask for the aunt\)/m);
    assert.match(out, /it is not here: moved/);
    assert.match(out, /: no difference$/m);
    assert.equal(/^\$ skerry import /m.test(out), run === 'first');
  }
});

test('./start refuses what it does not know', async () => {
  assert.equal((await exec(start, ['--nonsense'])).code, 2);
  assert.equal((await exec(start, ['--port', 'x'])).code, 2);
});

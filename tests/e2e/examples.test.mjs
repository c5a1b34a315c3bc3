import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { World, assert_same, bin, exec } from './kit.mjs';

const examples = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../examples');

test('examples/two_devices.cpp brings two devices together', async (t) => {
  const world = new World(t);
  await world.init(readFileSync(join(examples, 'places/model.yaml'), 'utf8'));
  await world.serve();
  for (const user of ['ann', 'ben']) await world.skerry('token', 'server', '--user', user, '--out', `${user}.token`);
  const { code, out, err } = await exec(join(bin, 'two_devices'), [world.url, 'ann.token', 'ben.token'], { cwd: world.dir });
  assert.equal(code, 0, out + err);
  assert.match(out, /after, both have:\n {2}ann: a light on the rocks\n {2}ben: gone fishing\n/);
  const places = await assert_same(world, ['server/server.db', 'ann.db', 'ben.db'], 'SELECT name FROM place');
  assert.deepEqual(places, [{ name: 'Skerryvore' }]);
});

test('the data script writes the same places every time, in key order', async (t) => {
  const world = new World(t);
  for (const name of ['a.ndjson', 'b.ndjson']) {
    const { code, err } = await exec(process.execPath, [join(examples, 'places/cities.mjs'), world.path(name)]);
    assert.equal(code, 0, err);
  }
  const text = readFileSync(world.path('a.ndjson'), 'utf8');
  assert.equal(text, readFileSync(world.path('b.ndjson'), 'utf8'));
  const numbers = text.trimEnd().split('\n').map((line) => JSON.parse(line).geonameid);
  assert.equal(numbers.length, 135233);
  assert.ok(numbers.every((n, i) => i === 0 || n > numbers[i - 1]));
});

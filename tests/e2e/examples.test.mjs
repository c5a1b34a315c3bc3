import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { World, assert_same, bin, exec } from './kit.mjs';

const examples = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../examples');

test('examples/two_devices.cpp brings two devices together', async (t) => {
  const world = new World(t);
  await world.init(readFileSync(join(examples, 'two_devices.yaml'), 'utf8'));
  await world.serve();
  for (const user of ['ann', 'ben']) await world.skerry('token', 'server', '--user', user, '--out', `${user}.token`);
  const { code, out, err } = await exec(join(bin, 'two_devices'), [world.url, 'ann.token', 'ben.token'], { cwd: world.dir });
  assert.equal(code, 0, out + err);
  assert.match(out, /after, both have:\n {2}ann: a light on the rocks\n {2}ben: gone fishing\n/);
  const places = await assert_same(world, ['server/server.db', 'ann.db', 'ben.db'], 'SELECT name FROM place');
  assert.deepEqual(places, [{ name: 'Skerryvore' }]);
});

test('the data script writes the same rows every time, each referring to one that is there', async (t) => {
  const world = new World(t);
  for (const name of ['a', 'b']) {
    const { code, err } = await exec(process.execPath, [join(examples, 'outreach/data.mjs'), world.path(name)]);
    assert.equal(code, 0, err);
  }
  const rows = {};
  for (const entity of ['place', 'worker', 'household', 'visit']) {
    const text = readFileSync(world.path(`a/${entity}.ndjson`), 'utf8');
    assert.equal(text, readFileSync(world.path(`b/${entity}.ndjson`), 'utf8'));
    rows[entity] = new Map(text.trimEnd().split('\n').map((line) => JSON.parse(line)).map((row) => [row.id, row]));
  }
  assert.deepEqual(Object.values(rows).map((map) => map.size), [135233, 200, 20000, 100000]);
  for (const row of rows.household.values()) assert.ok(rows.place.has(row.place_id) && rows.worker.has(row.assignee_id));
  for (const row of rows.visit.values()) assert.ok(rows.household.has(row.household_id) && row.starts <= row.ends);
});

test('the data script refuses what it does not know', async () => {
  for (const args of [[], ['a', 'b'], ['a', '--visits', 'x']])
    assert.equal((await exec(process.execPath, [join(examples, 'outreach/data.mjs'), ...args])).code, 2);
});

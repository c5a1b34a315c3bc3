import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, uuid } from './kit.mjs';

const model = `app: visits
version: 1
access: open
entities:
  household:
    attributes:
      id: uuid
      name: { type: text, merge: ask }
      notes: { type: text, merge: ask }
      district: text
      members: { type: int, merge: counter }
  plan:
    attributes: { id: uuid, text: text }
    update_delete: ask
`;

// ann and bob have the same household and have both changed it; ann's change arrived first.
async function both_changed(t) {
  const world = new World(t);
  await world.init(model);
  await world.serve();
  world.ann = await world.device('ann');
  world.bob = await world.device('bob');
  await world.sql(world.ann, `INSERT INTO household VALUES ('${uuid(1)}', 'Meier', 'none', 'north', 3)`);
  await world.sync(world.ann, world.bob);
  await world.sql(world.ann, `UPDATE household SET name = 'Meyer', notes = 'by ann', members = 4 WHERE id = '${uuid(1)}'`);
  await world.sql(world.bob, `UPDATE household SET name = 'Maier', district = 'south', members = 5 WHERE id = '${uuid(1)}'`);
  await world.sql(world.bob, `INSERT INTO household VALUES ('${uuid(2)}', 'other', NULL, NULL, NULL)`);
  await world.sync(world.ann, world.bob, world.ann);
  return world;
}

const conflicts = async (world, place, ...more) => JSON.parse(await world.skerry('conflicts', place, '--json', ...more));
const row_1 = { id: uuid(1), notes: 'by ann', district: 'south', members: 6 };  // 3 + 1 + 2

test('P_30 a conflict is seen everywhere with base, mine and theirs, and holds back only its attribute', async (t) => {
  const world = await both_changed(t);
  for (const place of [world.ann, world.bob, 'server']) {
    const [conflict, ...others] = await conflicts(world, place);
    assert.deepEqual(others, []);
    assert.equal(conflict.entity, 'household');
    assert.equal(conflict.key, uuid(1));
    assert.equal(conflict.attribute, 'name');
    assert.equal(conflict.author, 'bob');
    assert.equal(conflict.why, 'both_changed');
    assert.deepEqual(conflict.fields, [{ attribute: 'name', base: 'Meier', mine: 'Maier', theirs: 'Meyer' }]);
    const shown = await world.skerry('conflicts', 'show', place, conflict.id.slice(0, 8));
    assert.match(shown, /^name +Meier +Maier +Meyer$/m);
    assert.match(shown, /why +both_changed: /);
    assert.match(await world.skerry('conflicts', place), /household +0190a000-\S+ +name +update +both_changed +bob/);
  }
  // Everything else of the transaction, and all other rows, are through.
  for (const file of [world.ann, world.bob, 'server/server.db']) {
    const rows = await world.sqlite(file, 'SELECT * FROM household ORDER BY id');
    assert.deepEqual(rows[0], { ...row_1, name: 'Meyer' }, file);
    assert.equal(rows.length, 2);
  }
  assert.match(await world.skerry('status', world.ann), /conflicts +1 waits for a decision/);
  assert.equal(JSON.parse(await world.skerry('status', 'server', '--json')).conflicts, 1);
});

for (const [option, name, choice] of [['--mine', 'Maier', 'mine'], ['--theirs', 'Meyer', 'theirs'], ['--set=name=Meier-Mayr', 'Meier-Mayr', 'mix']]) {
  test(`O_20 ${choice}: the choice is an ordinary change, and the conflict closes on all devices`, async (t) => {
    const world = await both_changed(t);
    const [{ id }] = await conflicts(world, world.ann);
    await world.stop_server();  // deciding needs no network
    await world.skerry('conflicts', 'resolve', world.ann, id, option);
    assert.deepEqual(await conflicts(world, world.ann), []);
    assert.equal((await world.sqlite(world.ann, `SELECT name FROM household WHERE id = '${uuid(1)}'`))[0].name, name);
    await world.serve();
    await world.sync(world.ann, world.bob, world.ann);
    for (const place of [world.ann, world.bob, 'server']) {
      assert.deepEqual(await conflicts(world, place), [], place);
      const [closed] = await conflicts(world, place, '--all');
      assert.equal(closed.id, id);
      assert.equal(closed.state, 'closed');
      assert.equal(closed.choice, choice);
      assert.equal(closed.closed_by, 'ann');
      assert.deepEqual(await world.sql(place, `SELECT * FROM household WHERE id = '${uuid(1)}'`), [{ ...row_1, name }], place);
    }
    await world.fails('invalid_argument', 'conflicts', 'resolve', world.bob, id, '--mine');  // it is closed
  });
}

test('O_19 a deleted row that was changed elsewhere is a conflict with both sides, and comes back by choice', async (t) => {
  const world = new World(t);
  await world.init(model);
  await world.serve();
  const ann = await world.device('ann');
  const bob = await world.device('bob');
  await world.sql(ann, `INSERT INTO plan VALUES ('${uuid(1)}', 'first')`);
  await world.sql(ann, `INSERT INTO plan VALUES ('${uuid(2)}', 'second')`);
  await world.sync(ann, bob);
  await world.sql(ann, `DELETE FROM plan WHERE id = '${uuid(1)}'`);
  await world.sql(ann, `UPDATE plan SET text = 'second, by ann' WHERE id = '${uuid(2)}'`);
  await world.sql(bob, `UPDATE plan SET text = 'first, by bob' WHERE id = '${uuid(1)}'`);
  await world.sql(bob, `DELETE FROM plan WHERE id = '${uuid(2)}'`);
  await world.sync(ann, bob, ann);
  const found = await conflicts(world, ann);
  assert.deepEqual(found.map((c) => [c.key, c.operation, c.why, c.row_exists]).sort(),
    [[uuid(1), 'update', 'row_deleted', false], [uuid(2), 'delete', 'row_changed', true]]);
  const update = found.find((c) => c.operation === 'update');
  assert.equal(update.fields.find((f) => f.attribute === 'text').mine, 'first, by bob');
  assert.equal(update.fields.find((f) => f.attribute === 'text').base, 'first');
  await world.skerry('conflicts', 'resolve', ann, update.id, '--mine');
  await world.skerry('conflicts', 'resolve', bob, found.find((c) => c.operation === 'delete').id.slice(0, 8), '--mine');
  await world.sync(ann, bob, ann);
  for (const file of [ann, bob, 'server/server.db'])
    assert.deepEqual(await world.sqlite(file, 'SELECT * FROM plan'), [{ id: uuid(1), text: 'first, by bob' }], file);
  assert.deepEqual(await conflicts(world, bob), []);
});

test('deciding asks for one decision, on a device', async (t) => {
  const world = await both_changed(t);
  const [{ id }] = await conflicts(world, world.bob);
  await world.fails('invalid_argument', 'conflicts', 'resolve', world.bob, id);
  await world.fails('invalid_argument', 'conflicts', 'resolve', world.bob, id, '--mine', '--theirs');
  await world.fails('invalid_argument', 'conflicts', 'resolve', world.bob, id, '--set', 'name');
  await world.fails('not_found', 'conflicts', 'resolve', world.bob, id, '--set', 'colour=red');
  await world.fails('not_found', 'conflicts', 'resolve', world.bob, 'ffffffff-0000', '--mine');
  await world.fails('invalid_argument', 'conflicts', 'resolve', 'server', id, '--mine');
  assert.equal((await conflicts(world, world.bob)).length, 1);
});

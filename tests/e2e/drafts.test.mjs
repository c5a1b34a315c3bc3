import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, assert_same, uuid } from './kit.mjs';

// What a device cannot know: that another one uses the same number, or deleted a parent.
const model = `app: stock
version: 1
access: open
entities:
  item:
    attributes: { id: uuid, number: text!, name: text, price: "decimal(8, 2)! = 0.00" }
    unique: [[number]]
  count:
    attributes: { id: uuid, item_id: item!, pieces: int! }
`;

const json = async (world, ...args) => JSON.parse(await world.skerry(...args, '--json'));

async function stock(t) {
  const world = new World(t);
  await world.init(model);
  await world.serve();
  world.ann = await world.device('ann');
  world.bob = await world.device('bob');
  await world.sql(world.ann, `INSERT INTO item VALUES ('${uuid(1)}', 'A-1', 'first', 150)`);
  await world.sync(world.ann, world.bob);
  return world;
}

test('M_25 P_31 one bad row among a hundred: the others are committed, it is listed with code, message, member and content', async (t) => {
  const world = await stock(t);
  await world.sql(world.ann, `INSERT INTO item VALUES ('${uuid(9)}', 'A-9', 'ninth', 999)`);
  await world.sync(world.ann);
  for (let n = 0; n < 100; ++n)
    await world.sql(world.bob, `INSERT INTO item VALUES ('${uuid(1000 + n)}', '${n === 10 ? 'A-9' : `B-${n}`}', 'item ${n}', ${n})`);
  await world.sql(world.bob, `INSERT INTO count VALUES ('${uuid(500)}', '${uuid(1010)}', 7)`);
  const { code, err } = await world.run(['sync', world.bob]);
  assert.equal(code, 0, err);
  assert.match(err, /transaction 11: rejected \(not_unique\)/);

  assert.equal((await world.sql('server', "SELECT count(*) AS n FROM item WHERE number LIKE 'B-%'"))[0].n, 99);
  // Taken back in the data of the device that made it.
  assert.deepEqual(await world.sql(world.bob, `SELECT * FROM item WHERE id = '${uuid(1010)}'`), []);
  assert.deepEqual(await world.sql(world.bob, 'SELECT * FROM count'), []);
  for (const place of [world.bob, 'server']) {
    const drafts = await json(world, 'drafts', place);
    assert.equal(drafts.length, 2, place);
    const [draft, waiting] = drafts.sort((a, b) => a.number - b.number);
    assert.equal(draft.code, 'not_unique');
    assert.match(draft.message, /number/);
    assert.equal(draft.member, 'item.number');
    assert.equal(draft.changes.length, 1);
    assert.equal(draft.changes[0].operation, 'insert');
    assert.equal(draft.changes[0].key, uuid(1010));
    assert.equal(draft.changes[0].fields.number.now, 'A-9');
    assert.equal(draft.changes[0].fields.price.now, '0.10');
    assert.equal(waiting.code, 'dependency');
    assert.equal(waiting.waiting_for, draft.number);
    assert.match(await world.skerry('drafts', place), /item\.number/);
    assert.match(await world.skerry('drafts', 'show', place, String(draft.number)), /number: 'A-9'/);
  }
  const exported = JSON.parse(await world.skerry('drafts', 'export', world.bob));
  assert.deepEqual(exported.map((d) => d.number).length, 2);
  const state = await json(world, 'log', world.bob, 'item', uuid(1010));
  assert.equal(state.row.state, 'rejected');
  assert.equal((await json(world, 'log', world.bob, 'count', uuid(500))).row.state, 'waiting');
});

async function with_a_draft(t) {
  const world = await stock(t);
  await world.sql(world.ann, `INSERT INTO item VALUES ('${uuid(9)}', 'A-9', 'ninth', 999)`);
  await world.sync(world.ann);
  await world.sql(world.bob, `INSERT INTO item VALUES ('${uuid(2)}', 'A-9', 'second', 200)`);
  await world.sql(world.bob, `INSERT INTO count VALUES ('${uuid(500)}', '${uuid(2)}', 7)`);
  await world.sync(world.bob);
  const drafts = await json(world, 'drafts', world.bob);
  assert.equal(drafts.length, 2);
  world.draft = String(Math.min(...drafts.map((d) => d.number)));
  return world;
}

test('M_26 M_27 a rejected row is corrected, sent again with what waits for it, and the entries close', async (t) => {
  const world = await with_a_draft(t);
  await world.skerry('drafts', 'edit', world.bob, world.draft, 'item', uuid(2), 'number=A-2', 'price=2.50');
  const shown = await json(world, 'drafts', 'show', world.bob, world.draft);
  assert.equal(shown.changes[0].fields.number.now, 'A-2');
  assert.equal((await json(world, 'drafts', 'retry', world.bob, world.draft)).draft, Number(world.draft));
  assert.deepEqual(await json(world, 'drafts', world.bob), []);
  await world.sync(world.bob, world.ann);
  for (const place of [world.ann, world.bob, 'server']) {
    assert.deepEqual(await world.sql(place, `SELECT * FROM item WHERE id = '${uuid(2)}'`),
      [{ id: uuid(2), number: 'A-2', name: 'second', price: 250 }], place);
    assert.deepEqual(await world.sql(place, 'SELECT * FROM count'), [{ id: uuid(500), item_id: uuid(2), pieces: 7 }], place);
  }
  assert.deepEqual(await json(world, 'drafts', 'server'), []);
  const closed = await json(world, 'drafts', 'server', '--all');
  assert.deepEqual(closed.map((d) => d.state), ['redone', 'redone']);
});

test('X_1 a draft that is dropped goes from device and server, and the log tells what it held', async (t) => {
  const world = await with_a_draft(t);
  await world.skerry('drafts', 'discard', world.bob, world.draft);
  assert.deepEqual(await json(world, 'drafts', world.bob), []);
  await world.sync(world.bob);
  assert.deepEqual(await json(world, 'drafts', 'server'), []);
  assert.deepEqual((await json(world, 'drafts', 'server', '--all')).map((d) => d.state), ['discarded', 'discarded']);
  const log = await json(world, 'log', world.bob);
  const dropped = log.transactions.find((entry) => entry.transaction === Number(world.draft));
  assert.equal(dropped.verdict, 'rejected');
  assert.equal(dropped.draft, 'discarded');
  assert.equal(dropped.changes[0].fields.number.now, 'A-9');
  assert.match(await world.skerry('log', world.bob), /its draft was discarded by transaction \d+/);
});

test('P_32 what was refused is seen without extra rights, and applied when it is sent again after its cause is gone', async (t) => {
  const world = await with_a_draft(t);
  assert.match(await world.skerry('status', world.bob), /drafts/);
  assert.match(await world.skerry('drafts', world.bob), /not_unique/);
  await world.sql(world.ann, `UPDATE item SET number = 'A-10' WHERE number = 'A-9'`);
  await world.sync(world.ann, world.bob);
  await world.skerry('drafts', 'retry', world.bob, world.draft);
  await world.sync(world.bob, world.ann);
  assert.deepEqual(await json(world, 'drafts', world.bob), []);
  assert.equal((await assert_same(world, ['server/server.db', world.ann, world.bob], `SELECT * FROM item WHERE id = '${uuid(2)}'`)).length, 1);
});

test('M_26 of a draft that decides a conflict, the decision is left out when others have decided meanwhile', async (t) => {
  const world = new World(t);
  await world.init(model.replace('name: text,', 'name: { type: text, merge: ask },'));
  await world.serve();
  const [ann, bob] = [await world.device('ann'), await world.device('bob')];
  await world.sql(ann, `INSERT INTO item VALUES ('${uuid(1)}', 'A-1', 'first', 150)`);
  await world.sync(ann, bob);
  for (const store of [ann, bob]) await world.sql(store, `UPDATE item SET name = 'by ${store}'`);
  await world.sync(ann, bob, ann);
  const [{ id }] = await json(world, 'conflicts', bob);

  // Bob decides, with a row that the server cannot take; Ann decides otherwise, and is first.
  const decide = `UPDATE skerry_conflict SET state = 'closed', choice = 'mine' WHERE id = '${id}'`;
  await world.sqlite(bob, `BEGIN; INSERT INTO item VALUES ('${uuid(2)}', 'A-9', 'second', 200); ${decide}; COMMIT`);
  await world.sql(ann, `INSERT INTO item VALUES ('${uuid(9)}', 'A-9', 'ninth', 999)`);
  await world.skerry('conflicts', 'resolve', ann, id, '--theirs');
  await world.sync(ann, bob);
  const [draft] = await json(world, 'drafts', bob);
  assert.equal(draft.code, 'not_unique');
  await world.skerry('drafts', 'edit', bob, String(draft.number), 'item', uuid(2), 'number=A-2');
  const said = await world.skerry('drafts', 'retry', bob, String(draft.number));
  assert.match(said, new RegExp(`^left out: conflict ${id} is decided already$`, 'm'));
  assert.match(said, /is done again as transaction/);
  await world.sync(bob, ann);
  const rows = await assert_same(world, ['server/server.db', ann, bob], 'SELECT number, name FROM item ORDER BY number');
  assert.deepEqual(rows.map((row) => row.number), ['A-1', 'A-2', 'A-9']);
  for (const place of [ann, bob, 'server']) {
    assert.equal((await json(world, 'conflicts', place, '--all'))[0].choice, 'theirs', place);
    assert.deepEqual(await json(world, 'drafts', place), [], place);
  }
});

test('what cannot be done again is refused, and the draft stays', async (t) => {
  const world = await with_a_draft(t);
  await world.fails('not_found', 'drafts', 'retry', world.bob, '77');
  await world.fails('not_found', 'drafts', 'edit', world.bob, world.draft, 'item', uuid(77), 'number=A-2');
  await world.fails('not_found', 'drafts', 'edit', world.bob, world.draft, 'item', uuid(2), 'colour=red');
  await world.fails('value_invalid', 'drafts', 'edit', world.bob, world.draft, 'item', uuid(2), 'price=dear');
  // It is not unique here either, now that ann's item has arrived.
  await world.fails('not_unique', 'drafts', 'retry', world.bob, world.draft);
  assert.equal((await json(world, 'drafts', world.bob)).length, 2);
  assert.deepEqual(await world.sql(world.bob, `SELECT * FROM item WHERE id = '${uuid(2)}'`), []);
});

test('the log tells who changed what, on the device and on the server', async (t) => {
  const world = await stock(t);
  await world.sql(world.ann, `UPDATE item SET name = 'by ann' WHERE id = '${uuid(1)}'`);
  await world.sql(world.bob, `UPDATE item SET name = 'by bob' WHERE id = '${uuid(1)}'`);
  await world.sync(world.ann, world.bob, world.ann);
  const server = await json(world, 'log', 'server', 'item', uuid(1));
  assert.deepEqual(server.transactions.map((e) => [e.user, e.verdict, e.changes[0].fields.name]),
    [['ann', 'applied', { now: 'first' }], ['ann', 'applied', { was: 'first', now: 'by ann' }], ['bob', 'merged', { was: 'first', now: 'by bob' }]]);
  assert.deepEqual(server.lost_values.map((v) => [v.user, v.values]), [['bob', { name: 'by ann' }]]);
  assert.match(await world.skerry('log', 'server', 'item', uuid(1)), /name: 'first' -> 'by bob'/);
  const here = await json(world, 'log', world.ann, 'item', uuid(1));
  assert.equal(here.row.state, 'synced');
  assert.deepEqual(here.transactions.map((e) => e.verdict), ['applied', 'applied']);
  assert.equal((await json(world, 'log', world.ann, '--limit', '1')).transactions.length, 1);
  await world.fails('not_found', 'log', world.ann, 'colour');
  assert.equal(await world.skerry('quarantine', world.ann), 'nothing is held back\n');
  assert.deepEqual(await json(world, 'quarantine', 'server'), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, assert_same, uuid } from './kit.mjs';

const all = ['server/server.db', 'ann.db', 'ben.db'];
const notes = 'SELECT id, body, stars FROM note ORDER BY id';

async function ann_and_ben(t) {
  const world = new World(t);
  await world.init();
  await world.serve();
  const ann = await world.device('ann');
  const ben = await world.device('ben');
  return { world, ann, ben };
}

test('two devices that edited while there was no server end up equal', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'one', 1), ('${uuid(2)}', 'two', 2)`);
  await world.sync(ann, ben);
  await world.stop_server();

  await world.sql(ann, `UPDATE note SET body = 'one by ann' WHERE id = '${uuid(1)}'`);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(3)}', 'three', 9007199254740993)`);
  await world.sql(ben, `UPDATE note SET stars = 5 WHERE id = '${uuid(1)}'`);
  await world.sql(ben, `DELETE FROM note WHERE id = '${uuid(2)}'`);
  await world.fails('offline', 'sync', ann);
  assert.match(await world.skerry('status', ann), /waiting to send +2 transactions/);

  await world.serve();
  await world.sync(ann, ben, ann);
  const rows = await assert_same(world, all, notes);
  assert.deepEqual(rows, [
    { id: uuid(1), body: 'one by ann', stars: 5 },
    { id: uuid(3), body: 'three', stars: 9007199254740993 },
  ]);
  assert.match(await world.skerry('sql', ben, notes), /9007199254740993/);  // not rounded, as JavaScript would
  assert.match(await world.skerry('status', ann), /waiting to settle +0 transactions/);
});

test('of two edits of one attribute the later arrival wins everywhere', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'one', 1)`);
  await world.sync(ann, ben);
  await world.sql(ann, `UPDATE note SET body = 'by ann'`);
  await world.sql(ben, `UPDATE note SET body = 'by ben'`);
  await world.sync(ben, ann, ben);
  assert.deepEqual(await assert_same(world, all, notes), [{ id: uuid(1), body: 'by ann', stars: 1 }]);
});

test('what the sqlite3 shell writes into a device is captured and sent', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sqlite(ann, `BEGIN; INSERT INTO note VALUES ('${uuid(1)}', 'it''s', NULL); INSERT INTO word VALUES ('é', '東京'); COMMIT`);
  await world.sync(ann, ben);
  assert.deepEqual(await assert_same(world, all, notes), [{ id: uuid(1), body: "it's", stars: null }]);
  assert.deepEqual(await assert_same(world, all, 'SELECT * FROM word'), [{ word: 'é', meaning: '東京' }]);
});

test('what is written on the server, by skerry or the shell, reaches the devices', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql('server', `INSERT INTO note VALUES ('${uuid(1)}', 'by sql', 1)`);
  await world.sqlite('server/server.db', `INSERT INTO note VALUES ('${uuid(2)}', 'by shell', 2)`);
  await world.sync(ann, ben);
  assert.equal((await assert_same(world, all, notes)).length, 2);
});

test('repair brings back what was damaged and keeps what was not sent', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'one', 1)`);
  await world.sync(ben, ann);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(2)}', 'not sent', 2)`);
  await world.skerry('sync', ann, '--repair');
  await world.sync(ben);
  assert.equal((await assert_same(world, all, notes)).length, 2);
});

test('an import reaches the devices, a second one updates instead of doubling', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  let lines = '';
  for (let i = 1; i <= 3000; ++i) lines += JSON.stringify({ nr: i, body: `note ${i}`, stars: i }) + '\n';
  world.write('notes.ndjson', lines);
  const said = await world.skerry('import', 'server', 'note', 'notes.ndjson', '--key-from', 'nr');
  assert.match(said, /^3,000 rows imported into note/);
  await world.sync(ann, ben);
  assert.equal((await assert_same(world, all, notes)).length, 3000);

  await world.sql(ann, "UPDATE note SET body = 'mine' WHERE stars = 7");
  await world.sync(ann);
  world.write('again.csv', 'nr,stars\n1,10000\n3001,20000\n');
  await world.skerry('import', 'server', 'note', 'again.csv', '--key-from', 'nr');
  await world.sync(ann, ben);
  const rows = await assert_same(world, all, 'SELECT body, stars FROM note WHERE stars IN (7, 10000, 20000) ORDER BY stars');
  assert.deepEqual(rows, [
    { body: 'mine', stars: 7 },
    { body: 'note 1', stars: 10000 },  // an attribute that the file does not have stays
    { body: null, stars: 20000 },
  ]);
  assert.equal((await world.sqlite(ann, 'SELECT count(*) AS n FROM note'))[0].n, 3001);
});

test('a watch shows a change that another device made', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  const watch = await world.start(
    ['watch', ann, 'SELECT body FROM note ORDER BY id', '--count', '2', '--timeout', '30', '--json'], /^\[\]$/);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'hello', 1)`);
  await world.sync(ben);
  assert.equal(await watch.ended, 0, watch.errors);
  assert.deepEqual(JSON.parse(watch.lines[1]), [{ body: 'hello' }]);
});

test('a watch shows a change by another program on the same file, and sends it', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  const watch = await world.start(['watch', ann, 'SELECT body FROM note', '--timeout', '60', '--json'], /^\[\]$/);
  const other = await world.start(
    ['watch', ben, 'SELECT body FROM note', '--count', '2', '--timeout', '30', '--json'], /^\[\]$/);
  await world.sqlite(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'by the shell', 1)`);
  await world.line(watch, /by the shell/);
  assert.equal(await other.ended, 0, other.errors);
  watch.kill('SIGINT');
  assert.equal(await watch.ended, 0, watch.errors);
});

test('case_B12 the server goes on where it stood after a kill', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'one', 1)`);
  await world.sync(ann);
  world.server.kill('SIGKILL');
  await world.server.ended;
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(2)}', 'two', 2)`);
  await world.serve();
  await world.sync(ann, ben);
  assert.equal((await assert_same(world, all, notes)).length, 2);
});

test('G_15 of two programs on one store both write and see all, one syncs, and the other takes over when it is killed', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  const query = 'SELECT body FROM note ORDER BY id';
  const one = await world.start(['watch', ann, query, '--json'], /^\[\]$/);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'from ben', 1)`);
  await world.sync(ben);
  await world.line(one, /from ben/);  // it syncs
  const two = await world.start(['watch', ann, query, '--json'], /from ben/);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(2)}', 'beside both', 2)`);
  for (const watch of [one, two]) await world.line(watch, /beside both/);

  const status = JSON.parse(await world.skerry('status', ann, '--json'));
  assert.equal(status.synced_elsewhere, true);
  assert.match(await world.skerry('status', ann), /another program syncs this store now/);
  const said = await world.fails('sync_elsewhere', 'sync', ann);
  assert.match(said, /it sends what you wrote/);

  one.kill('SIGKILL');
  await one.ended;
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(3)}', 'after the kill', 3)`);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(4)}', 'ben again', 4)`);
  await world.sync(ben);
  await world.line(two, /after the kill.*ben again/);
  two.kill('SIGINT');
  assert.equal(await two.ended, 0, two.errors);
  await world.sync(ann, ben);  // the turn is free
  assert.equal((await assert_same(world, all, notes)).length, 4);
  assert.equal(JSON.parse(await world.skerry('status', ann, '--json')).synced_elsewhere, false);
});

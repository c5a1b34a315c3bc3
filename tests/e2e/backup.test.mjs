// A copy of a server that runs, and a server from it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { World, assert_same, exec, uuid } from './kit.mjs';

const all_notes = 'SELECT id, body, stars FROM note ORDER BY id';

// A server with a backup, then changes of two devices that the backup lacks, then the server's folder is lost and restored.
async function restored_world(t) {
  const world = new World(t);
  await world.init();
  await world.serve();
  const [ann, ben] = [await world.device('ann'), await world.device('ben')];
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'first', 1), ('${uuid(2)}', 'second', 1)`);
  await world.sync(ann, ben);
  assert.match(await world.skerry('backup', 'server', '--to', 'monday.db'), /^monday\.db: .*checked\n$/);

  await world.sql(ann, `UPDATE note SET body = 'changed', stars = 5 WHERE id = '${uuid(1)}'`);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(3)}', 'of ann', 1)`);
  await world.sync(ann, ben);
  await world.sql(ben, `DELETE FROM note WHERE id = '${uuid(2)}'`);
  await world.sql(ben, `UPDATE note SET stars = 6 WHERE id = '${uuid(3)}'`);  // a row that the backup lacks
  await world.sync(ben, ann);
  const before = await assert_same(world, [ann, ben, 'server/server.db'], all_notes);
  assert.deepEqual(before, [{ id: uuid(1), body: 'changed', stars: 5 }, { id: uuid(3), body: 'of ann', stars: 6 }]);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(4)}', 'not sent yet', 1)`);

  await world.stop_server();
  rmSync(world.path('server'), { recursive: true });
  await world.skerry('restore', 'monday.db', '--to', 'server');
  assert.equal(statSync(world.path('server')).mode & 0o777, 0o700);
  await world.serve();
  assert.deepEqual((await world.sql('server', all_notes)).map((row) => row.body), ['first', 'second']);
  return { world, ann, ben, wanted: [...before, { id: uuid(4), body: 'not sent yet', stars: 1 }] };
}

async function assert_nothing_waits(world, ...stores) {
  for (const store of stores) {
    const status = JSON.parse(await world.skerry('status', store, '--json'));
    assert.equal(status.waiting_to_send, 0);
    assert.equal(status.waiting_to_settle, 0);
  }
}

test('pitfall_24 case_E3: a server restored from a backup gets back what devices sent since, and all are equal', async (t) => {
  const { world, ann, ben, wanted } = await restored_world(t);
  await world.sync(ann, ben, ann);
  assert.deepEqual(await assert_same(world, [ann, ben, 'server/server.db'], all_notes), wanted);
  assert.deepEqual(await world.sql('server', 'SELECT * FROM skerry_conflict'), []);
  await assert_nothing_waits(world, ann, ben);
});

test('pitfall_24 case_E3: a change that comes before the row that it changes is put to a person, not lost', async (t) => {
  const { world, ann, ben, wanted } = await restored_world(t);
  await world.sync(ben, ann, ben);
  const rows = await assert_same(world, [ann, ben, 'server/server.db'], all_notes);
  assert.deepEqual(rows, wanted.map((row) => (row.id === uuid(3) ? { ...row, stars: 1 } : row)));
  const conflicts = 'SELECT row, why, mine, author, state FROM skerry_conflict';
  assert.deepEqual(await assert_same(world, [ann, ben, 'server/server.db'], conflicts),
    [{ row: uuid(3), why: 'row_deleted', mine: '{"stars":6}', author: 'ben', state: 'open' }]);
  await assert_nothing_waits(world, ann, ben);
});

test('pitfall_24 case_E3: what a device no longer keeps is named as lost, and the device goes on by itself', async (t) => {
  const { world, ann, ben, wanted } = await restored_world(t);
  await world.sqlite(ann, 'DELETE FROM skerry_archive WHERE no = (SELECT min(no) FROM skerry_archive WHERE no > 1)');  // the change of the first note
  await world.sync(ann, ben, ann);
  const rows = await assert_same(world, [ann, ben, 'server/server.db'], all_notes);
  assert.deepEqual(rows.filter((row) => row.id !== uuid(1)), wanted.filter((row) => row.id !== uuid(1)), 'all else came back');
  assert.deepEqual(rows.find((row) => row.id === uuid(1)), { id: uuid(1), body: 'first', stars: 1 });
  const lost = JSON.parse(await world.skerry('log', ann, '--json')).transactions.filter((entry) => entry.code === 'gap_lost');
  assert.equal(lost.length, 1);
  assert.match(lost[0].message, /no longer kept/);
  await assert_nothing_waits(world, ann, ben);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(9)}', 'after it', 1)`);
  await world.sync(ann, ben);
  assert.equal((await assert_same(world, [ann, ben, 'server/server.db'], all_notes)).length, rows.length + 1);
});

test('a backup while devices push is the state of one moment, whole and checked', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve();
  const ann = await world.device('ann');
  const pairs = async (n) => {
    // Each transaction writes two rows that belong together.
    await world.sql(ann, `INSERT INTO note VALUES ('${uuid(2 * n)}', 'pair', ${n}), ('${uuid(2 * n + 1)}', 'pair', ${-n})`);
    await world.sync(ann);
  };
  await pairs(1);
  const pushing = (async () => { for (let n = 2; n < 8; ++n) await pairs(n); })();
  const names = [];
  for (let i = 0; i < 4; ++i) {
    names.push(`copy${i}.db`);
    await world.skerry('backup', 'server', '--to', names.at(-1));
  }
  await pushing;
  for (const name of names) {
    assert.deepEqual(readdirSync(world.dir).filter((file) => file.startsWith(name)), [name], 'one file, and nothing beside it');
    assert.equal(statSync(world.path(name)).mode & 0o777, 0o600);
    assert.deepEqual(await world.sqlite(name, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
    const [{ sum, count }] = await world.sqlite(name, 'SELECT sum(stars) AS sum, count(*) AS count FROM note');
    assert.equal(sum, 0);
    assert.ok(count >= 2 && count % 2 === 0);
  }
});

test('a backup overwrites nothing, and what is none is refused', async (t) => {
  const world = new World(t);
  await world.init();
  world.write('there.db', 'mine');
  await world.fails('already_exists', 'backup', 'server', '--to', 'there.db');
  assert.equal(readFileSync(world.path('there.db'), 'utf8'), 'mine');
  await world.fails('not_found', 'backup', 'none', '--to', 'x.db');
  await world.fails('io', 'backup', 'server', '--to', 'no/such/folder/x.db');
  await world.skerry('backup', 'server', '--to', 'good.db');
  await world.fails('already_exists', 'restore', 'good.db', '--to', 'server');
  mkdirSync(world.path('stale'));
  world.write('stale/server.db-wal', 'of a database that is gone');
  await world.fails('already_exists', 'restore', 'good.db', '--to', 'stale');
  await world.fails('not_found', 'restore', 'none.db', '--to', 'other');
  await world.fails('corrupt_store', 'restore', 'there.db', '--to', 'other');
  await exec('sqlite3', [world.path('foreign.db'), 'CREATE TABLE t(a)']);
  await world.fails('corrupt_store', 'restore', 'foreign.db', '--to', 'other');
  assert.equal(existsSync(world.path('other/server.db')), false);
});

test('a backup that was damaged is not restored', async (t) => {
  const world = new World(t);
  await world.init();
  await world.sql('server', `WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO note SELECT '0190a000-0000-7000-8000-' || printf('%012d', i), hex(zeroblob(100)), i FROM n`);
  await world.skerry('backup', 'server', '--to', 'good.db');
  const bytes = readFileSync(world.path('good.db'));
  for (let at = bytes.length - 200_000; at < bytes.length; at += 4096) bytes.fill(0xff, at, at + 512);
  writeFileSync(world.path('bad.db'), bytes);
  await world.fails('corrupt_store', 'restore', 'bad.db', '--to', 'other');
  assert.deepEqual(readdirSync(world.path('other')), []);
  await world.skerry('restore', 'good.db', '--to', 'other');
});

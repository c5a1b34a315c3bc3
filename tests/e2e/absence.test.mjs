// Checking, forgetting and rebuilding, with the sqlite3 program as the fault.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { World, assert_same, exec, uuid } from './kit.mjs';

const all_notes = 'SELECT id, body, stars FROM note ORDER BY id';

async function notes_world(t, rows) {
  const world = new World(t);
  await world.init();
  await world.serve();
  const [ann, ben] = [await world.device('ann'), await world.device('ben')];
  await world.sql(ann, `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${rows})
    INSERT INTO note SELECT printf('${uuid(0).slice(0, -12)}%012d', i + 1), 'note ' || i, i FROM n`);
  await world.sync(ann, ben);
  return { world, ann, ben };
}

// Past the triggers, as no program should.
async function falsify(world, file, sql) {
  const { code, err } = await exec('sqlite3', ['-cmd', '.timeout 10000', '-cmd', '.dbconfig enable_trigger off', world.path(file), sql]);
  assert.equal(code, 0, err);
}

const check = async (world, store) => JSON.parse(await world.skerry('check', store, '--json'));

test('P_16 X_7: rows that the sqlite3 program falsified on a device are found and repaired, and no other row is sent', async (t) => {
  const { world, ben } = await notes_world(t, 3000);
  const clean = await check(world, ben);
  assert.equal(clean.different, 0);
  assert.ok(clean.rows >= 3000);
  assert.match(await world.skerry('check', ben), /rows compared with the server in .*: no difference/);

  await falsify(world, ben, `UPDATE note SET stars = -1 WHERE id = '${uuid(7)}'; DELETE FROM note WHERE id = '${uuid(2500)}';
    INSERT INTO note VALUES ('${uuid(99999)}', 'stray', 0)`);
  await world.sync(ben);
  assert.equal((await world.sql(ben, `SELECT stars FROM note WHERE id = '${uuid(7)}'`))[0].stars, -1, 'a sync does not notice');
  await world.sql(ben, `UPDATE note SET body = 'unsent' WHERE id = '${uuid(8)}'`);

  const text = await world.skerry('check', ben);
  assert.match(text, /: 3 differed, 3 repaired/);
  for (const n of [7, 2500, 99999]) assert.ok(text.includes(uuid(n)), text);
  await world.sync(ben);
  await assert_same(world, [ben, 'server/server.db'], all_notes);
  assert.equal((await world.sql('server', `SELECT body FROM note WHERE id = '${uuid(8)}'`))[0].body, 'unsent');
  assert.equal((await check(world, ben)).different, 0);
});

test('X_7: a check comes by itself with a sync when seven days have passed', async (t) => {
  const { world, ben } = await notes_world(t, 50);
  await falsify(world, ben, `UPDATE note SET stars = -1 WHERE id = '${uuid(7)}'`);
  await world.sync(ben);
  assert.equal((await world.sql(ben, 'SELECT count(*) AS n FROM note WHERE stars = -1'))[0].n, 1);
  await world.sqlite(ben, "UPDATE skerry_meta SET value = value - 8 * 86400000000 WHERE name = 'checked_at_us'");
  await world.sync(ben);
  await assert_same(world, [ben, 'server/server.db'], all_notes);
  assert.match(await world.skerry('status', ben), /mended +1 row that differed from the server, read anew by checks, last at 20/);
  const status = JSON.parse(await world.skerry('status', ben, '--json'));
  assert.equal(status.mended_rows, 1);
  assert.equal(status.mended_at, status.checked_at);
});

test('X_7: rows that were falsified on the server are noticed by every device', async (t) => {
  const { world, ann, ben } = await notes_world(t, 500);
  await falsify(world, 'server/server.db', `UPDATE note SET body = 'false' WHERE id = '${uuid(3)}'; DELETE FROM note WHERE id = '${uuid(4)}'`);
  await world.sync(ann, ben);
  assert.notDeepEqual(await world.sql(ben, all_notes), await world.sql('server', all_notes));
  for (const store of [ann, ben]) assert.equal((await check(world, store)).different, 2);
  await assert_same(world, [ann, ben, 'server/server.db'], all_notes);
});

test('a check without a network fails by name and changes nothing', async (t) => {
  const { world, ben } = await notes_world(t, 5);
  await world.stop_server();
  await world.fails('offline', 'check', ben);
  await world.fails('not_found', 'check', 'nothing.db');
});

test('X_9: a device is rebuilt from its sealed outbox and the server, with no difference', async (t) => {
  const { world, ann, ben } = await notes_world(t, 20);
  await world.sql(ann, `UPDATE note SET body = 'waiting' WHERE id = '${uuid(1)}'`);
  await world.sql(ann, `DELETE FROM note WHERE id = '${uuid(2)}'`);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(500)}', 'new', 1)`);
  await world.sql(ben, `UPDATE note SET stars = 70 WHERE id = '${uuid(3)}'`);
  await world.sync(ben);
  world.write('phrase.txt', 'correct horse battery\n');
  world.write('wrong.txt', 'incorrect\n');
  assert.match(await world.skerry('export', ann, 'ann.outbox', '--passphrase-file', 'phrase.txt'), /sealed/);
  assert.equal(statSync(world.path('ann.outbox')).mode & 0o777, 0o600);
  assert.ok(!readFileSync(world.path('ann.outbox')).includes('waiting'));
  await world.fails('already_exists', 'export', ann, 'ann.outbox', '--passphrase-file', 'phrase.txt');
  await world.fails('invalid_argument', 'rebuild', 'ann.outbox', 'new.db');
  await world.fails('invalid_argument', 'rebuild', 'ann.outbox', 'new.db', '--passphrase-file', 'wrong.txt');
  await world.fails('already_exists', 'rebuild', 'ann.outbox', ann, '--passphrase-file', 'phrase.txt');

  await world.skerry('rebuild', 'ann.outbox', 'new.db', '--passphrase-file', 'phrase.txt');
  const facts = 'SELECT no, hex(id) AS id, state FROM skerry_txn ORDER BY no';
  assert.deepEqual(await world.sqlite('new.db', facts), await world.sqlite(ann, facts));
  const identity = "SELECT hex(value) AS v FROM skerry_meta WHERE name = 'device'";
  assert.deepEqual(await world.sqlite('new.db', identity), await world.sqlite(ann, identity));
  // The old one is gone for good.
  for (const ending of ['', '-wal', '-shm']) rmSync(world.path(ann + ending), { force: true });
  await world.sync('new.db', ben);
  const rows = await assert_same(world, ['new.db', ben, 'server/server.db'], all_notes);
  assert.equal(rows.find((row) => row.id === uuid(1)).body, 'waiting');
  assert.equal(rows.find((row) => row.id === uuid(2)), undefined);
  assert.equal(rows.find((row) => row.id === uuid(500)).body, 'new');
  assert.equal((await check(world, 'new.db')).different, 0);
});

test('an outbox that is not sealed says so, has no token, and damage to it is noticed', async (t) => {
  const { world, ann } = await notes_world(t, 3);
  await world.sql(ann, `UPDATE note SET body = 'waiting' WHERE id = '${uuid(1)}'`);
  const { err } = await world.run(['export', ann, 'plain.outbox']);
  assert.match(err, /anybody who has the file can read it/);
  const bytes = readFileSync(world.path('plain.outbox'));
  assert.ok(!bytes.includes('skt_'));
  await world.skerry('rebuild', 'plain.outbox', 'new.db');
  await world.fails('unauthorized', 'sync', 'new.db');
  bytes[bytes.length - 3] ^= 1;
  writeFileSync(world.path('bad.outbox'), bytes);
  await world.fails('corrupt_store', 'rebuild', 'bad.outbox', 'other.db');
  world.write('nonsense.outbox', 'nonsense');
  await world.fails('corrupt_store', 'rebuild', 'nonsense.outbox', 'other.db');
});

test('devices are listed, and a forgotten one comes back without loss', async (t) => {
  const { world, ann, ben } = await notes_world(t, 5);
  const list = async () => JSON.parse(await world.skerry('devices', 'server', '--json'));
  const of = async (user) => (await list()).find((device) => device.user === user);
  assert.equal((await list()).length, 2);
  assert.equal((await of('ann')).sent, 1);
  assert.match(await world.skerry('devices', 'server'), /heard/);
  await world.fails('not_found', 'devices', 'server', 'forget', 'ffffffffffff');
  await world.sql(ben, `UPDATE note SET body = 'unsent' WHERE id = '${uuid(1)}'`);
  assert.match(await world.skerry('devices', 'server', 'forget', (await of('ben')).id.slice(0, 12)), /^forgotten: .* of ben/);
  assert.equal((await of('ben')).state, 'forgotten');
  await world.sql('server', `DELETE FROM note WHERE id = '${uuid(2)}'`);
  await world.sync(ben, ann);
  assert.equal((await of('ben')).state, 'enrolled');
  const rows = await assert_same(world, [ann, ben, 'server/server.db'], all_notes);
  assert.equal(rows.length, 4);
  assert.equal(rows[0].body, 'unsent');
});

// case_E5: a reinstalled app has nothing, and says nothing but that.
test('case_E5: a device that lost its store starts anew; the server keeps what it had', async (t) => {
  const { world, ann } = await notes_world(t, 8);
  const before = await world.sql('server', all_notes);
  for (const ending of ['', '-wal', '-shm']) rmSync(world.path(ann + ending), { force: true });
  await world.device('ann');
  await world.sync(ann);
  assert.deepEqual(await assert_same(world, [ann, 'server/server.db'], all_notes), before);
});

test('case_E6: five devices of one user are five; another user\'s token opens no door for what waits in a store', async (t) => {
  const { world, ann, ben } = await notes_world(t, 3);
  const stores = [1, 2, 3, 4].map((n) => `ann${n}.db`);
  for (const store of stores) await world.skerry('device', 'open', store, '--server', world.url, '--token-file', 'ann.token');
  for (const [i, store] of stores.entries()) await world.sql(store, `INSERT INTO note VALUES ('${uuid(100 + i)}', 'of ${store}', 0)`);
  await world.sync(...stores, ann, ben, ...stores);
  const rows = await assert_same(world, [ann, ben, ...stores, 'server/server.db'], all_notes);
  assert.equal(rows.length, 7);
  assert.equal(JSON.parse(await world.skerry('devices', 'server', '--json')).filter((device) => device.user === 'ann').length, 5);

  await world.sql(ann, `UPDATE note SET body = 'of ann' WHERE id = '${uuid(1)}'`);
  await world.run(['device', 'open', ann, '--server', world.url, '--token-file', 'ben.token']);
  await world.fails('device_of_other_user', 'sync', ann);
  assert.notEqual((await world.sql('server', `SELECT body FROM note WHERE id = '${uuid(1)}'`))[0].body, 'of ann');
  await world.run(['device', 'open', ann, '--server', world.url, '--token-file', 'ann.token']);
  await world.sync(ann);
  assert.equal((await world.sql('server', `SELECT body FROM note WHERE id = '${uuid(1)}'`))[0].body, 'of ann');
});

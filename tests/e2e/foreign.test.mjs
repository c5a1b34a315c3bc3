// Programs that know nothing of Skerry write into a device's file and into the server's database: the sqlite3 shell and
// Python, with the pragmas that old programs leave as they are. Everything is captured, and the model's rules hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, assert_same, exec, uuid } from './kit.mjs';

const model = `app: rounds
version: 1
access: open
entities:
  site:
    attributes:
      id: uuid
      code: text!
      name: text
      visits: { type: int, merge: counter, default: 0 }
      tags: { type: set, merge: set }
      price: decimal(10, 2)
    unique: [[code]]
  visit:
    attributes:
      id: uuid
      site_id: site!
      on: date
      grade: { type: int, check: "grade between 1 and 5" }
      open: { type: bool, default: true }
    on_delete: { site_id: cascade }
`;

const all = ['server/server.db', 'ann.db', 'ben.db'];
const sites = 'SELECT id, code, name, visits, tags, price FROM site ORDER BY id';
const visits = 'SELECT id, site_id, "on", grade, open FROM visit ORDER BY id';

async function ann_and_ben(t) {
  const world = new World(t);
  await world.init(model);
  await world.serve();
  return { world, ann: await world.device('ann'), ben: await world.device('ben') };
}

// Python's own module, autocommit off and on, with what an old program has switched off.
async function python(world, file, program) {
  const head = `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
db.isolation_level = None
for pragma in ("recursive_triggers = OFF", "foreign_keys = ON", "ignore_check_constraints = ON", "synchronous = OFF"):
    db.execute("PRAGMA " + pragma)
`;
  const { code, out, err } = await exec('python3', ['-c', head + program, world.path(file)]);
  assert.equal(code, 0, err);
  return out;
}

test('G_1 case_I8 every kind of statement that Python can say is captured, as one net change a commit', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await python(world, ann, `
db.execute("BEGIN")
db.executemany("INSERT INTO site(id, code, name, tags, price) VALUES(?, ?, ?, ?, ?)",
    [("0190a000-0000-7000-8000-%012d" % i, "c%d" % i, "site %d" % i, '[ "b", "a", "b" ]', 150 * i) for i in range(1, 21)])
db.executemany("INSERT INTO visit(id, site_id, \\"on\\", grade) VALUES(?, ?, '2026-11-21', ?)",
    [("0190b000-0000-7000-8000-%012d" % i, "0190a000-0000-7000-8000-%012d" % (1 + i % 20), 1 + i % 5) for i in range(1, 61)])
db.execute("COMMIT")
db.execute("REPLACE INTO site(id, code, name) VALUES('0190a000-0000-7000-8000-000000000020', 'c20', 'replaced')")
db.execute("INSERT INTO site(id, code, name) VALUES('0190a000-0000-7000-8000-000000000002', 'c2', 'x') ON CONFLICT(id) DO UPDATE SET name = 'upserted'")
db.execute("INSERT OR IGNORE INTO site(id, code, name) VALUES('0190a000-0000-7000-8000-000000000003', 'c3', 'ignored')")
db.execute("UPDATE OR REPLACE site SET visits = visits + 2 WHERE id < '0190a000-0000-7000-8000-000000000006'")
db.execute("BEGIN")
db.execute("UPDATE site SET name = 'kept' WHERE code = 'c4'")
db.execute("SAVEPOINT s")
db.execute("DELETE FROM site WHERE code = 'c5'")
db.execute("ROLLBACK TO s")
db.execute("RELEASE s")
db.execute("COMMIT")
db.execute("BEGIN")
db.execute("DELETE FROM visit")
db.execute("ROLLBACK")
db.execute("DELETE FROM site WHERE code = 'c1'")
db.execute("UPDATE visit SET grade = 5, open = 0 WHERE site_id IN (SELECT id FROM site WHERE code IN ('c2', 'c3'))")
db.execute("INSERT INTO site(id, code, name) SELECT '0190c' || substr(id, 6), code || 'b', name FROM site WHERE code < 'c2'")
`);
  await world.sync(ann, ben);
  const rows = await assert_same(world, all, sites);
  const by_code = Object.fromEntries(rows.map((row) => [row.code, row]));
  assert.equal(by_code.c1, undefined);
  assert.equal(by_code.c2.name, 'upserted');
  assert.equal(by_code.c2.visits, 2);
  assert.equal(by_code.c2.tags, '["a","b"]');
  assert.equal(by_code.c2.price, 300);
  assert.equal(by_code.c3.name, 'site 3');
  assert.equal(by_code.c4.name, 'kept');
  assert.equal(by_code.c20.name, 'replaced');
  assert.equal(rows.length, 19 + 10);
  const seen = await assert_same(world, all, visits);
  assert.equal(seen.length, 57);  // three went with their site
  assert.equal(seen.filter((row) => row.grade === 5 && row.open === 0).length, 6);
});

test('G_1 pitfall_54 two programs and skerry write one file at once, and nothing is lost or split', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ann, `INSERT INTO site(id, code) VALUES('${uuid(1)}', 'one')`);
  const writer = (first) => python(world, ann, `
for i in range(${first}, ${first} + 100):
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE site SET visits = visits + 1 WHERE code = 'one'")
    db.execute("INSERT INTO visit(id, site_id, grade) VALUES(?, '${uuid(1)}', 3)", ("0190b000-0000-7000-8000-%012d" % i,))
    db.execute("COMMIT")
`);
  const busy = Promise.all([writer(1000), writer(2000)]);
  for (let i = 0; i < 5; ++i) {
    await world.sql(ann, `UPDATE site SET visits = visits + 1 WHERE code = 'one'`);
    await world.sync(ann);
  }
  await busy;
  await world.sync(ann, ben);
  const [site] = await assert_same(world, all, sites);
  assert.equal(site.visits, 205);
  assert.equal((await assert_same(world, all, visits)).length, 200);
});

test('pitfall_55 the rules of the model hold for a program that knows nothing of them', async (t) => {
  const { world, ann } = await ann_and_ben(t);
  const one = `INSERT INTO site(id, code) VALUES('${uuid(1)}', 'one')`;
  for (const file of [ann, 'server/server.db']) {
    await world.sqlite(file, one);
    const refused = async (code, sql) => {
      const { code: exit, err } = await exec('sqlite3', ['-cmd', '.timeout 10000', world.path(file), sql]);
      assert.notEqual(exit, 0, `${file}: ${sql}`);
      assert.match(err, new RegExp(`skerry:${code}:`), `${file}: ${sql}`);
    };
    await refused('required', `INSERT INTO site(id, name) VALUES('${uuid(2)}', 'no code')`);
    await refused('required', `UPDATE site SET code = NULL`);
    await refused('not_unique', `INSERT INTO site(id, code) VALUES('${uuid(2)}', 'one')`);
    await refused('check_failed', `INSERT INTO visit(id, site_id, grade) VALUES('${uuid(3)}', '${uuid(1)}', 9)`);
    await refused('value_invalid', `INSERT INTO visit(id, site_id, "on") VALUES('${uuid(3)}', '${uuid(1)}', '2026-02-30')`);
    await refused('value_invalid', `INSERT INTO visit(id, site_id, open) VALUES('${uuid(3)}', '${uuid(1)}', 2)`);
    await refused('value_invalid', `UPDATE site SET tags = '{"a": 1}'`);
    await refused('key_update', `UPDATE site SET id = '${uuid(9)}'`);
    assert.equal((await world.sqlite(file, 'SELECT count(*) AS n FROM site'))[0].n, 1);
    await world.sqlite(file, 'DELETE FROM site');
  }
});

test('O_12 case_C5 direct SQL on the server of every kind reaches the devices', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  const server = 'server/server.db';
  await world.sqlite(server, `BEGIN;
    INSERT INTO site(id, code, name, tags) VALUES('${uuid(1)}', 'a', 'A', '["z", "y"]'), ('${uuid(2)}', 'b', 'B', NULL), ('${uuid(3)}', 'c', 'C', '[]');
    INSERT INTO visit(id, site_id, grade) VALUES('${uuid(11)}', '${uuid(1)}', 1), ('${uuid(12)}', '${uuid(2)}', 2), ('${uuid(13)}', '${uuid(2)}', 3); COMMIT`);
  await world.sync(ann, ben);
  await assert_same(world, all, sites);
  await python(world, server, `
db.execute("REPLACE INTO site(id, code, name) VALUES('${uuid(1)}', 'a', 'replaced')")
db.execute("INSERT INTO site(id, code) VALUES('${uuid(3)}', 'c') ON CONFLICT(id) DO UPDATE SET name = name || '!'")
db.execute("BEGIN")
db.execute("UPDATE visit SET grade = 4")
db.execute("ROLLBACK")
db.execute("DELETE FROM site WHERE code = 'b'")
`);
  await world.sync(ann, ben);
  const rows = await assert_same(world, all, sites);
  assert.deepEqual(rows.map((row) => [row.code, row.name, row.tags]), [['a', 'replaced', null], ['c', 'C!', '[]']]);
  assert.deepEqual((await assert_same(world, all, visits)).map((row) => row.id), [uuid(11)]);
});

// An app that was written for one database, as it might be: it knows nothing of devices, and not one line of it changes.
const app = `
import sqlite3, sys, json
db = sqlite3.connect(sys.argv[1], timeout=30)
def register(code, name, price):
    with db:
        db.execute("INSERT INTO site(id, code, name, visits, price) VALUES(?, ?, ?, 0, ?)", ("0190a000-0000-7000-8000-00000000" + code, code, name, price))
def visit(code, n, grade):
    with db:
        site, = db.execute("SELECT id FROM site WHERE code = ?", (code,)).fetchone()
        db.execute("INSERT INTO visit(id, site_id, \\"on\\", grade, open) VALUES(?, ?, '2026-11-21', ?, 1)", ("0190b000-0000-7000-8000-00000000" + n, site, grade))
        db.execute("UPDATE site SET visits = visits + 1 WHERE id = ?", (site,))
register("0001", "clinic", 1250)
register("0002", "school", 300)
register("0003", "well", 10)
for n in range(5): visit("0001", "000%d" % n, 1 + n % 5)
visit("0002", "0009", 4)
try:
    with db:
        db.execute("UPDATE site SET name = 'lost'")
        raise KeyError
except KeyError: pass
with db:
    db.execute("UPDATE site SET price = price + 100 WHERE code IN (SELECT code FROM site ORDER BY price LIMIT 2)")
    db.execute("DELETE FROM visit WHERE grade = 2")
    db.execute("DELETE FROM site WHERE code = '0003'")
print(json.dumps(db.execute("SELECT s.code, s.name, s.visits, s.price, group_concat(v.grade) FROM site s LEFT JOIN (SELECT * FROM visit ORDER BY id) v ON v.site_id = s.id GROUP BY s.id ORDER BY s.code").fetchall()))
`;

test('S_10 an app written for one SQLite database runs unchanged on a store and its work reaches everybody', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.stop_server();
  await world.sqlite('plain.db', `
    CREATE TABLE site(id TEXT PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT, visits INTEGER DEFAULT 0, tags TEXT, price INTEGER);
    CREATE TABLE visit(id TEXT PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site(id), "on" TEXT, grade INTEGER, open INTEGER DEFAULT 1)`);
  const run = async (file) => {
    const { code, out, err } = await exec('python3', ['-c', app, world.path(file)]);
    assert.equal(code, 0, err);
    return out;
  };
  const plain = await run('plain.db');
  assert.equal(await run(ann), plain, 'on a store, without a network');
  await world.serve();
  await world.sync(ann, ben);
  const rows = await assert_same(world, all, sites);
  assert.deepEqual(rows.map((row) => [row.code, row.visits, row.price]), [['0001', 5, 1250], ['0002', 1, 400]]);
  await assert_same(world, all, visits);
});

test('pitfall_23 pitfall_76 triggers of the app on synced tables see what arrives and change nothing that is synced', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sqlite(ann, `
    CREATE VIRTUAL TABLE found USING fts5(name, content='site', content_rowid='rowid');
    CREATE TRIGGER found_i AFTER INSERT ON site BEGIN INSERT INTO found(rowid, name) VALUES(NEW.rowid, NEW.name); END;
    CREATE TRIGGER found_d AFTER DELETE ON site BEGIN INSERT INTO found(found, rowid, name) VALUES('delete', OLD.rowid, OLD.name); END;
    CREATE TRIGGER found_u AFTER UPDATE ON site BEGIN INSERT INTO found(found, rowid, name) VALUES('delete', OLD.rowid, OLD.name);
      INSERT INTO found(rowid, name) VALUES(NEW.rowid, NEW.name); END;
    CREATE TRIGGER counts AFTER INSERT ON visit BEGIN UPDATE site SET visits = visits + 1 WHERE id = NEW.site_id; END;
    CREATE TRIGGER touch AFTER UPDATE OF name ON site BEGIN UPDATE site SET price = 1 WHERE id = NEW.id; END`);
  await world.sql(ben, `INSERT INTO site(id, code, name, price) VALUES('${uuid(1)}', 'one', 'pump house', 250)`);
  await world.sql(ben, `INSERT INTO visit(id, site_id) VALUES('${uuid(11)}', '${uuid(1)}')`);
  await world.sync(ben, ann);
  await world.sql(ben, `UPDATE site SET name = 'old pump house' WHERE code = 'one'`);
  await world.sync(ben, ann, ben);
  const [site] = await assert_same(world, all, sites);
  assert.deepEqual([site.name, site.visits, site.price], ['old pump house', 0, 250]);
  assert.equal((await world.sqlite(ann, `SELECT count(*) AS n FROM found WHERE found MATCH 'old'`))[0].n, 1);

  // For the app's own writes they run as ever, and what they write is sent.
  await world.sql(ann, `INSERT INTO visit(id, site_id) VALUES('${uuid(12)}', '${uuid(1)}')`);
  await world.sync(ann, ben);
  assert.equal((await assert_same(world, all, sites))[0].visits, 1);
});

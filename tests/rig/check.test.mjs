// What must hold, on files in which it does not: silence of the rig would prove nothing otherwise.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exec } from '../e2e/kit.mjs';
import { check_all } from './check.mjs';

const tables = `CREATE TABLE member (id, grp, k, n, author, delta, body); CREATE TABLE tally (name, total); CREATE TABLE board (name);
  CREATE TABLE own (author, last_grp); CREATE TABLE ticket (number);`;
// Two groups of d1: a (2 rows) and b (1 row).
const rows = `INSERT INTO member VALUES (1, 'a', 1, 2, 'd1', 5, ''), (2, 'a', 2, 2, 'd1', 0, ''), (3, 'b', 1, 1, 'd1', 4, '');
  INSERT INTO tally VALUES ('all', 9); INSERT INTO own VALUES ('d1', 'b'), ('d2', NULL);`;
const at_rest = { event: 'report', phase: 'live', problem: '', unsent: 0, unsettled: 0, quarantined: 0, incomplete: 0, conflicts: 0 };

// A fleet of a server and two devices that has come to rest, as files and answers.
class Rest {
  constructor(t) {
    this.dir = mkdtempSync(join(tmpdir(), 'skerry-rig-check-'));
    t.after(() => rmSync(this.dir, { recursive: true, force: true }));
    this.world = { dir: this.dir, path: (name) => join(this.dir, name) };
    mkdirSync(this.world.path('server'));
    this.devices = ['d1', 'd2'].map((name) => this.#device(name));
    this.server = { crashes: [] };
    this.ended_wrong = [];
    this.write('d1.journal', 'started\nintended a 2 5\ncommitted a\nintended b 1 4\ncommitted b\n');
  }

  #device(name) {
    for (const [file, text] of [['journal', ''], ['log', ''], ['token', `skt_secret_${name}`]]) this.write(`${name}.${file}`, text);
    const answers = { report: { ...at_rest }, drafts: { event: 'drafts', groups: {} } };
    return { name, store: `${name}.db`, has_disk: false, crashes: [], events: [], answers, ask: async (what) => answers[what] };
  }

  write(name, text) {
    writeFileSync(this.world.path(name), text);
  }

  async sql(file, text) {
    assert.equal((await exec('sqlite3', [this.world.path(file), text])).code, 0);
  }

  async everywhere(text) {
    for (const file of ['server/server.db', 'd1.db', 'd2.db']) await this.sql(file, text);
  }

  processes() {
    return [this.server, ...this.devices];
  }

  async quit() {
    return this.ended_wrong;
  }
}

async function rest(t) {
  const fleet = new Rest(t);
  await fleet.everywhere(tables + rows);
  return fleet;
}

async function found(fleet, limit = 0.5) {
  return (await check_all(fleet, limit, limit)).wrong.filter((line) => !/it is not otherwise/.test(line));
}

async function finds(fleet, ...patterns) {
  const wrong = await found(fleet);
  assert.equal(wrong.length, patterns.length, wrong.join('\n'));
  patterns.forEach((pattern, at) => assert.match(wrong[at], pattern));
}

test('a fleet at rest is right', async (t) => {
  assert.deepEqual(await found(await rest(t), 11), []);
});

test('a row that one device lacks', async (t) => {
  const fleet = await rest(t);
  await fleet.sql('d2.db', "DELETE FROM member WHERE grp = 'b'");
  await finds(fleet, /after 0.5 s d2 has other rows than the server/);
});

test('a device that is not at rest, for whatever reason', async (t) => {
  for (const [name, value] of [['unsent', 1], ['unsettled', 2], ['quarantined', 1], ['conflicts', 1], ['phase', 'waiting'], ['problem', 'offline']]) {
    const fleet = await rest(t);
    fleet.devices[0].answers.report[name] = value;
    await finds(fleet, new RegExp(`d1: ${name} ${value}`));
  }
});

test('an acknowledged transaction that is nowhere, and one of which a part is there', async (t) => {
  const lost = await rest(t);
  appendFileSync(lost.world.path('d2.journal'), 'intended c 3 1\ncommitted c\n');
  await finds(lost, /group c of d2 \(3 rows, acknowledged\): is lost/);
  const part = await rest(t);
  await part.everywhere("DELETE FROM member WHERE id = 2");
  await finds(part, /group a of d1 \(2 rows, acknowledged\): 1 rows are on the server/);
});

test('one whose commit never returned may be there or not, but no part of it', async (t) => {
  const absent = await rest(t);
  appendFileSync(absent.world.path('d2.journal'), 'intended c 3 1\n');
  assert.deepEqual(await found(absent, 11), []);
  const part = await rest(t);
  part.write('d1.journal', 'intended a 2 5\ncommitted a\nintended b 4 4\n');
  await finds(part, /group b of d1 \(4 rows\): 1 rows are on the server/);
});

test('a rejected transaction is a draft as a whole, and not on the server too', async (t) => {
  for (const [drafts, pattern] of [[{ c: { rows: 3 } }, null], [{ c: { rows: 2 } }, /group c .*: 2 rows are in the draft/], [{ c: { rows: 3 }, b: { rows: 1 } }, /group b .*: is on the server and a draft/]]) {
    const fleet = await rest(t);
    appendFileSync(fleet.world.path('d2.journal'), 'intended c 3 1\ncommitted c\n');
    fleet.devices[1].answers.drafts.groups = drafts;
    await finds(fleet, ...(pattern ? [pattern] : []));
  }
});

test('what nobody wrote, and what was refused and is there', async (t) => {
  const strange = await rest(t);
  strange.write('d1.journal', 'intended a 2 5\ncommitted a\n');
  await strange.everywhere("UPDATE own SET last_grp = 'a' WHERE author = 'd1'; UPDATE tally SET total = 5");
  await finds(strange, /group b is on the server, and nobody wrote it/);
  const refused = await rest(t);
  refused.write('d1.journal', 'intended a 2 5\ncommitted a\nintended b 1 4\nrefused b\n');
  await finds(refused, /group b .*: the commit was refused, and it is there/);
});

test('a counter that counts twice, and an own row of another transaction', async (t) => {
  const fleet = await rest(t);
  await fleet.everywhere("UPDATE tally SET total = 14; UPDATE own SET last_grp = 'a' WHERE author = 'd1'");
  await finds(fleet, /own row of d1 holds a; its last accepted group is b/, /the tally is 14; what was accepted comes to 9/);
});

test('what devices and processes say of themselves', async (t) => {
  const fleet = await rest(t);
  fleet.devices[0].events = [{ event: 'refused', code: 'disk_full' }, { event: 'torn', group: 'a' }];
  fleet.devices[1].has_disk = true;
  fleet.devices[1].events = [{ event: 'refused', code: 'disk_full' }, { event: 'unread', code: 'disk_full' }];
  fleet.devices[1].crashes = ['d2 ended by itself: SIGSEGV'];
  fleet.ended_wrong = ['server was told to end and ended with 1'];
  await finds(fleet, /server was told to end/, /d1: refused disk_full/, /d1: torn group a/, /d2: unread disk_full/, /d2 ended by itself: SIGSEGV/);
});

test('a damaged file, a core and a token in a log', async (t) => {
  const fleet = await rest(t);
  await fleet.sql('d2.db', 'CREATE TABLE parent (id PRIMARY KEY); CREATE TABLE child (id REFERENCES parent); INSERT INTO child VALUES (1)');
  fleet.write('core.123', '');
  fleet.write('d1.log', 'token skt_secret_d1');
  await finds(fleet, /d2\.db: ok\nchild/, /a process left core\.123/, /a token stands in d1\.log/);
});

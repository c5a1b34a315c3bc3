// The protocol in lines of JSON: the client that was written from the page beside a real device, and the page's own curl lines.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Device } from '../../examples/json_client.mjs';
import { World, exec, notes_model, uuid } from './kit.mjs';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');

// A JSON client of that user, enrolled.
async function json_device(world, user, claims = []) {
  await world.skerry('token', 'server', '--user', user, '--out', `${user}.json.token`, ...claims);
  const device = new Device(world.path(`${user}.json`));
  await device.enrol(world.url, readFileSync(world.path(`${user}.json.token`), 'utf8').trim());
  return device;
}

async function ann_and_ben(t, model = notes_model) {
  const world = new World(t);
  await world.init(model);
  await world.serve();
  return { world, ann: await json_device(world, 'ann'), ben: await world.device('ben') };
}

const listed = (device, entity) =>
  [...device.rows(entity)].map(([id, values]) => ({ id, ...values })).sort((a, b) => (a.id < b.id ? -1 : 1));
const notes = (world, place) => world.sql(place, 'SELECT id, body, stars FROM note ORDER BY id');

async function assert_notes(world, ann, ben, expected) {
  assert.deepEqual(listed(ann, 'note'), expected);
  for (const place of [ben, 'server']) assert.deepEqual(await notes(world, place), expected);
}

test('the JSON client and a device see each other\'s rows, changes and deletions', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  ann.insert('note', { body: 'by ann' }, uuid(1));
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(2)}', 'by ben', 2), ('${uuid(3)}', 'short-lived', 3)`);
  await ann.sync();
  await world.sync(ben);
  await ann.sync();
  await assert_notes(world, ann, ben, [
    { id: uuid(1), body: 'by ann', stars: null }, { id: uuid(2), body: 'by ben', stars: 2 }, { id: uuid(3), body: 'short-lived', stars: 3 }]);

  ann.update('note', uuid(2), { body: 'by ben and ann' });
  ann.remove('note', uuid(1));
  await world.sql(ben, `UPDATE note SET stars = 5 WHERE id = '${uuid(2)}'`);
  await world.sql(ben, `DELETE FROM note WHERE id = '${uuid(3)}'`);
  await world.sync(ben);
  await ann.sync();
  await world.sync(ben);
  await assert_notes(world, ann, ben, [{ id: uuid(2), body: 'by ben and ann', stars: 5 }]);
  assert.equal(ann.state.journal.length, 0);
});

test('what the JSON client wrote without a network survives its end, is shown, and arrives in order', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await ann.sync();
  await world.stop_server();
  ann.insert('note', { body: 'one' }, uuid(1));
  ann.update('note', uuid(1), { body: 'two' });
  ann.update('note', uuid(1), { body: 'three', stars: 3 });
  ann.insert('note', { body: 'gone' }, uuid(2));
  ann.remove('note', uuid(2));
  ann.insert('note', { body: 'back' }, uuid(2));
  await assert.rejects(ann.sync());

  const again = new Device(ann.file);
  const expected = [{ id: uuid(1), body: 'three', stars: 3 }, { id: uuid(2), body: 'back', stars: null }];
  assert.deepEqual(listed(again, 'note'), expected);
  await world.serve();
  await again.sync();
  await world.sync(ben);
  await assert_notes(world, again, ben, expected);
  assert.deepEqual([again.state.journal, again.state.drafts], [[], []]);
});

const ask_model = `app: notes
version: 1
access: open
entities:
  note:
    attributes: { id: uuid, body: { type: text, merge: ask }, stars: int }
`;

test('a conflict and a rejection are told to the JSON client, and nothing of them is lost', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t, ask_model);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'one', 1)`);
  await world.sync(ben);
  await ann.sync();
  await world.sql(ben, `UPDATE note SET body = 'by ben' WHERE id = '${uuid(1)}'`);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(2)}', 'taken', 2)`);
  await world.sync(ben);
  ann.update('note', uuid(1), { body: 'by ann' });
  ann.insert('note', { body: 'mine' }, uuid(2));
  await ann.sync();

  assert.equal(ann.state.conflicts, 1);
  const [record] = listed(ann, 'skerry_conflict');
  assert.deepEqual([record.row, record.base, record.mine, record.theirs, record.state],
    [uuid(1), { body: 'one' }, { body: 'by ann' }, { body: 'by ben' }, 'open']);
  assert.deepEqual(ann.state.drafts.map(({ operations, outcome }) => [operations[0].values.body, outcome.code]), [['mine', 'key_taken']]);
  await assert_notes(world, ann, ben, [{ id: uuid(1), body: 'by ben', stars: 1 }, { id: uuid(2), body: 'taken', stars: 2 }]);

  // Deciding is an ordinary transaction, by the JSON client as by any device.
  ann.commit({ operation: 'update', entity: 'note', key: uuid(1), changes: { body: { old: 'by ben', new: 'by ann' } } },
    { operation: 'update', entity: 'skerry_conflict', key: record.id, changes: { state: { old: 'open', new: 'closed' }, choice: { old: '', new: 'mine' } } });
  await ann.sync();
  await world.sync(ben);
  assert.equal((await notes(world, ben))[0].body, 'by ann');
  assert.deepEqual(await world.sql(ben, 'SELECT state, closed_by FROM skerry_conflict'), [{ state: 'closed', closed_by: 'ann' }]);
});

const parts_model = `app: parts
version: 1
access: open
principal:
  mine: select area from member where who = :sub
profiles:
  field:
    member: all
    house: area in :mine
    visit: { with: house_id }
entities:
  member:
    attributes: { id: text, who: text, area: text }
  house:
    attributes: { id: text, area: text, people: int }
  visit:
    attributes: { id: text, house_id: house, note: text }
`;

test('rows that leave leave, with what hangs on them, and a lost right takes its scope away', async (t) => {
  const { world, ann } = await ann_and_ben(t, parts_model);
  await world.sql('server', `INSERT INTO member VALUES ('m1', 'ann', 'north'), ('m2', 'ann', 'east');
    INSERT INTO house VALUES ('n1', 'north', 1), ('n2', 'north', 2), ('e1', 'east', 3), ('s1', 'south', 4);
    INSERT INTO visit VALUES ('vn1', 'n1', 'a'), ('vn2', 'n2', 'b'), ('ve1', 'e1', 'c'), ('vs1', 's1', 'd')`);
  const here = async (expected) => {
    await ann.sync();
    assert.deepEqual([...listed(ann, 'house'), ...listed(ann, 'visit')].map(({ id }) => id), expected);
  };
  await here(['e1', 'n1', 'n2', 've1', 'vn1', 'vn2']);
  await world.sql('server', "UPDATE house SET area = 'south' WHERE id = 'n1'; UPDATE house SET area = 'east' WHERE id = 'n2'; DELETE FROM visit WHERE id = 've1'");
  await here(['e1', 'n2', 'vn2']);
  await world.sql('server', "UPDATE member SET area = 'south' WHERE id = 'm1'");
  await here(['e1', 'n1', 'n2', 's1', 'vn1', 'vn2', 'vs1']);
  await world.sql('server', "DELETE FROM member WHERE id = 'm2'");
  await here(['n1', 's1', 'vn1', 'vs1']);
  await world.sql('server', "DELETE FROM member");
  await here([]);
});

test('a falsified file is mended by verify, and what was not sent stays', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await world.sql(ben, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO note SELECT printf('${uuid(0).slice(0, -12)}%012d', i), 'note ' || i, i FROM n`);
  await world.sync(ben);
  let checkpoints = 0;
  await ann.sync({ on_checkpoint: () => void ++checkpoints });
  assert.ok(checkpoints > 1, 'it came in slices');
  assert.equal(ann.rows('note').size, 3000);

  const state = JSON.parse(readFileSync(ann.file, 'utf8'));
  state.rows.note[uuid(7)].values.stars = -1;
  delete state.rows.note[uuid(8)];
  state.rows.note[uuid(99999)] = { values: { body: 'stray' }, scopes: [] };
  writeFileSync(ann.file, JSON.stringify(state));
  const again = new Device(ann.file);
  again.insert('note', { body: 'unsent', stars: 0 }, uuid(4000));
  await again.sync({ verify: true });
  await world.sync(ben);
  await assert_notes(world, again, ben, await notes(world, 'server'));
  assert.equal(again.rows('note').size, 3001);
});

test('an open pull tells the JSON client of a change as it happens', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  await ann.sync();
  let changed;
  const seen = new Promise((done) => (changed = done));
  let first = true;
  const watching = ann.watch(() => {
    if (!first && ann.rows('note').size === 0) return true;
    const begun = first;
    first = false;
    if (begun) changed();
    return begun;
  });
  await seen;
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'live', 1)`);
  await world.sync(ben);
  await watching;
  assert.deepEqual(listed(ann, 'note'), [{ id: uuid(1), body: 'live', stars: 1 }]);
});

test('a newer model is taken by the JSON client while it runs', async (t) => {
  const { world, ann, ben } = await ann_and_ben(t);
  ann.insert('note', { body: 'old' }, uuid(1));
  await world.stop_server();
  world.write('model.yaml', notes_model.replace('stars: int', 'stars: int, colour: text = red').replace('version: 1', 'version: 2'));
  await world.serve(['--model', 'model.yaml']);
  await ann.sync();
  assert.deepEqual(listed(ann, 'note'), [{ id: uuid(1), body: 'old', stars: null, colour: 'red' }]);
  ann.update('note', uuid(1), { colour: 'blue' });
  await ann.sync();
  await world.sync(ben);
  assert.equal((await world.sql(ben, 'SELECT colour FROM note'))[0].colour, 'blue');
});

test('what the JSON client has no right to is refused with its code', async (t) => {
  const { world, ann } = await ann_and_ben(t);
  const thief = new Device(world.path('thief.json'));
  await assert.rejects(thief.enrol(world.url, 'skt_nothing'), { code: 'unauthorized' });
  Object.assign(thief.state, { server: world.url, token: ann.state.token, from: ann.state.from });
  await assert.rejects(thief.pull(), { code: 'not_enrolled' });
  assert.throws(() => ann.insert('note', { body: 'x', typo: 1 }, uuid(1)), /note has no attribute typo/, 'it would block what is written after it');
  ann.commit({ operation: 'insert', entity: 'note', key: uuid(1), values: { body: 'x', typo: 1 } });
  await assert.rejects(ann.sync(), (error) => error.code === 'invalid_argument' && /line 2, operation 1: note has no attribute "typo"/.test(error.message));
});

test('the program of the example enrols, writes, syncs and lists', async (t) => {
  const { world, ben } = await ann_and_ben(t);
  await world.skerry('token', 'server', '--user', 'eva', '--out', 'eva.token');
  const SKERRY_TOKEN = readFileSync(world.path('eva.token'), 'utf8').trim();
  const run = async (...args) => {
    const { code, out, err } = await exec(process.execPath, [join(root, 'examples/json_client.mjs'), 'eva.json', ...args], { cwd: world.dir, env: { ...process.env, SKERRY_TOKEN } });
    assert.equal(code, 0, err);
    return out.trim();
  };
  await run('enrol', world.url);
  const key = await run('insert', 'note', '{"body":"by the program"}');
  await run('update', 'note', key, '{"stars":4}');
  assert.equal(JSON.parse(await run('status')).waiting, 2);
  await run('sync');
  await world.sync(ben);
  assert.deepEqual(await notes(world, ben), [{ id: key, body: 'by the program', stars: 4 }]);
  await run('delete', 'note', key);
  await run('verify');
  assert.equal(await run('list', 'note'), '');
  assert.deepEqual(await notes(world, 'server'), []);
});

test('the curl lines of the page work as they stand', async (t) => {
  const { world, ben } = await ann_and_ben(t);
  await world.sql(ben, `INSERT INTO note VALUES ('${uuid(1)}', 'for curl', 1)`);
  await world.sync(ben);
  await world.skerry('token', 'server', '--user', 'eva', '--out', 'eva.token');
  const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]);
  assert.equal(blocks.length, 1);
  const env = { ...process.env, SERVER: world.url, TOKEN: readFileSync(world.path('eva.token'), 'utf8').trim() };
  const { code, out, err } = await exec('sh', ['-eu', '-c', blocks[0]], { cwd: world.dir, env });
  assert.equal(code, 0, err);
  const lines = out.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.filter(({ frame }) => frame === 'error'), []);
  const [enrolled] = lines;
  assert.equal(enrolled.user, 'eva');
  const begin = lines.find(({ frame }) => frame === 'begin');
  assert.equal(begin.from, enrolled.from);
  const rows = lines.filter(({ frame, entity }) => frame === 'slice' && entity === 'note').flatMap((slice) => slice.rows);
  assert.deepEqual(rows.map(({ key, values }) => [key, values]), [[uuid(1), { body: 'for curl', stars: 1 }]]);
  assert.equal(lines.at(-2).verdict, 'applied');
  assert.equal(lines.filter(({ frame }) => frame === 'end').length, 3);
  await world.sync(ben);
  assert.deepEqual((await notes(world, ben)).map(({ body }) => body), ['for curl', 'from curl']);
});

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { World, notes_model, uuid } from './kit.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const bad = join(root, 'tests/models/bad');

test('model check tells every fault of a hundred bad models, with its place', async (t) => {
  const world = new World(t);
  const names = readdirSync(bad).filter((name) => name.endsWith('.yaml'));
  assert.ok(names.length >= 100);
  const { code, out, err } = await world.run(['model', 'check', '--json', ...names.map((name) => join(bad, name))]);
  assert.equal(code, 1, err);
  const checked = JSON.parse(out);
  assert.equal(checked.length, names.length);
  for (const { file, sound, faults } of checked) {
    assert.equal(sound, false, file);
    const told = faults.map((f) => `${f.line}:${f.column} ${f.code} ${f.text}\n`).join('');
    assert.equal(told, readFileSync(file.replace(/yaml$/, 'txt'), 'utf8'), file);
  }
});

test('model check: for people, the good ones on standard output and the faults on standard error', async (t) => {
  const world = new World(t);
  world.write('good.yaml', notes_model);
  world.write('bad.yaml', notes_model.replace('stars: int', 'stars: intt'));
  assert.equal(await world.skerry('model', 'check', 'good.yaml'), "good.yaml: sound; app 'notes', version 1, 2 entities: note, word\n");
  const { code, out, err } = await world.run(['model', 'check', 'good.yaml', 'bad.yaml']);
  assert.equal(code, 1);
  assert.match(out, /^good\.yaml: sound/);
  assert.match(err, /^skerry: model_invalid: bad\.yaml:6:48: attribute 'note\.stars': unknown type 'intt'; did you mean 'int'\?/);
});

test('the models of the documentation and of the examples are sound', async (t) => {
  const world = new World(t);
  const page = readFileSync(join(root, 'docs/model.md'), 'utf8');
  const block = (begin) => new RegExp(`\`\`\`yaml\\n(${begin}[^]*?)\`\`\``).exec(page)[1];
  world.write('docs.yaml', block('app: ') + block('principal: '));
  await world.skerry('init', 'tasks');
  await world.skerry('model', 'check', 'docs.yaml', 'tasks/model.yaml', join(root, 'examples/outreach/model.yaml'));
  assert.match(await world.skerry('types', 'docs.yaml', '--namespace', 'app::data'), /^namespace app::data \{$/m);
  await world.fails('invalid_argument', 'types', 'docs.yaml', '--namespace', 'class');
});

test('an import of every type, from CSV and from JSON, gives the same rows', async (t) => {
  const world = new World(t);
  await world.init(`app: all
version: 1
access: open
entities:
  thing:
    attributes: { id: uuid, a: text, b: int, c: real, d: "decimal(8, 2)", e: bool, f: date, g: timestamp, h: json, i: blob, j: set, k: [x, y] }
`);
  const values = { a: 'null', b: 7, c: 0.5, d: 12.3, e: true, f: '2026-11-21', g: '2026-11-21T10:30:00.000000Z', h: { z: [1, null], a: 'é' }, i: 'AP8=', j: ['b', 'a', 'b'], k: 'y' };
  world.write('things.json', JSON.stringify([{ id: uuid(1), ...values }]));
  const csv = { ...values, h: JSON.stringify(values.h), j: JSON.stringify(values.j) };
  const quoted = Object.values(csv).map((v) => `"${String(v).replaceAll('"', '""')}"`);
  world.write('things.csv', `id,${Object.keys(csv)}\n${uuid(2)},${quoted}\n`);
  await world.skerry('import', 'server', 'thing', 'things.json');
  await world.skerry('import', 'server', 'thing', 'things.csv');
  const row = { a: 'null', b: 7, c: 0.5, d: 1230, e: 1, f: values.f, g: values.g, h: '{"a":"é","z":[1,null]}', i: '00FF', j: '["a","b"]', k: 'y' };
  assert.deepEqual(await world.sqlite('server/server.db', 'SELECT a, b, c, d, e, f, g, h, hex(i) AS i, j, k FROM thing ORDER BY id'), [row, row]);
  world.write('bad.json', JSON.stringify([{ id: uuid(3), d: 12.345 }, { id: uuid(4), k: 'z' }, { id: uuid(5), a: [1] }, { id: uuid(6), j: [1] }]));
  const err = await world.fails('value_invalid', 'import', 'server', 'thing', 'bad.json');
  for (const line of [/line 1: thing\.d .*: '12\.345'/, /line 2: thing\.k .*: 'z'/, /line 3: thing\.a: a list or an object is no text/, /line 4: thing\.j /])
    assert.match(err, line);
  assert.equal((await world.sql('server', 'SELECT count(*) AS n FROM thing'))[0].n, 2);
});

test('a model that adds to the one in use is taken while devices exist, and reaches them with their next sync', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve();
  const ann = await world.device('ann');
  const bob = await world.device('bob');
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'from the old model', 1)`);
  await world.sync(ann, bob);
  // Written under the old model and not sent before the new one is there.
  await world.sql(bob, `UPDATE note SET stars = 5 WHERE id = '${uuid(1)}'`);
  await world.sql(bob, `INSERT INTO note VALUES ('${uuid(2)}', 'unsent', 2)`);
  await world.stop_server();

  world.write('two.yaml', `app: notes
version: 2
access: open
entities:
  folder: { attributes: { id: uuid, name: text! } }
  note:
    attributes:
      urgent: bool! = false
      id: uuid
      folder_id: folder
      body: text
      stars: { type: int, merge: counter }
      state: enum(draft, done) = draft
    on_delete: { folder_id: set null }
    indexes: [[state]]
  word: { key: word, attributes: { word: text, meaning: text } }
`);
  assert.match(await world.skerry('model', 'diff', 'server', 'two.yaml'), /attribute 'note\.urgent' is new: bool, rows that are there have 0/);
  world.server = await world.start(['serve', 'server', '--model', 'two.yaml', '--port', String(world.port)], /^serving /);
  assert.match(readFileSync(world.path('server/model.yaml'), 'utf8'), /^version: 2$/m);
  await world.sync(ann, bob, ann);
  await world.sql(ann, `INSERT INTO folder VALUES ('${uuid(9)}', 'mine')`);
  await world.sql(ann, `UPDATE note SET folder_id = '${uuid(9)}', state = 'done' WHERE id = '${uuid(2)}'`);
  await world.sync(ann, bob);
  const rows = [
    { id: uuid(1), body: 'from the old model', stars: 5, urgent: 0, folder_id: null, state: 'draft' },
    { id: uuid(2), body: 'unsent', stars: 2, urgent: 0, folder_id: uuid(9), state: 'done' },
  ];
  const query = 'SELECT id, body, stars, urgent, folder_id, state FROM note ORDER BY id';
  for (const file of [ann, bob, 'server/server.db']) assert.deepEqual(await world.sqlite(file, query), rows, file);
  for (const file of [ann, bob]) assert.equal(JSON.parse(await world.skerry('status', file, '--json')).problem, null);
});

test('a model that takes something away is refused by name and nothing is changed', async (t) => {
  const world = new World(t);
  await world.init();
  world.write('two.yaml', notes_model.replace('version: 1', 'version: 2').replace('stars: int', 'rating: int'));
  world.write('same.yaml', notes_model.replace('stars: int', 'stars: int, more: text'));
  for (const args of [['serve', 'server', '--model', 'two.yaml'], ['model', 'diff', 'server', 'two.yaml']])
    assert.match(await world.fails('model_change', ...args), /attribute 'note\.stars' is no longer there/);
  assert.match(await world.fails('model_change', 'serve', 'server', '--model', 'same.yaml'), /write `version: 2`/);
  assert.equal(readFileSync(world.path('server/model.yaml'), 'utf8'), notes_model);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World, uuid } from './kit.mjs';

const commands = ['model', 'model check', 'model diff', 'types', 'init', 'serve', 'backup', 'restore', 'devices', 'import', 'token', 'device', 'device open', 'sync', 'check', 'export', 'rebuild', 'watch', 'status',
  'conflicts', 'conflicts show', 'conflicts resolve', 'drafts', 'drafts show', 'drafts edit', 'drafts retry', 'drafts discard',
  'drafts export', 'log', 'quarantine', 'sql'];

test('every command teaches with an example of itself', async (t) => {
  const world = new World(t);
  for (const command of commands) {
    const help = await world.skerry(...command.split(' '), '--help');
    assert.match(help, new RegExp(`\\nExample:\\n  skerry ${command}`), command);
    for (const line of help.split('\n')) assert.ok(line.length <= 120, line);
  }
});

test('help and version go to standard output with exit code 0', async (t) => {
  const world = new World(t);
  assert.match(await world.skerry('--version'), /^skerry \d+\.\d+\.\d+\n$/);
  const help = await world.skerry('--help');
  for (const command of commands) assert.match(help, new RegExp(`^  ${command.split(' ')[0]} `, 'm'));
});

test('a wrong command line is exit code 2 and says what to do', async (t) => {
  const world = new World(t);
  for (const args of [[], ['snyc'], ['sync'], ['sync', 'a.db', 'b.db'], ['serve', 'x', '--port', 'many'],
    ['serve', 'x', '--port', '70000'], ['device'], ['device', 'close'], ['sql', 'a.db', 'SELECT 1', '--json', '--csv'],
    ['import', 'a', 'b', 'c', '--format', 'xml'], ['token', 'x'], ['token', 'x', '--user', 'a', '--days', '0'], ['conflicts'],
    ['conflicts', 'show', 'a.db'], ['drafts'], ['drafts', 'edit', 'a.db', 'x'], ['drafts', 'retry', 'a.db', 'one'], ['model'], ['model', 'check'],
    ['log', 'a.db', '--limit', '0'], ['serve', 'x', '--retention-days', '0'], ['--nonsense']]) {
    const { code, out, err } = await world.run(args);
    assert.equal(code, 2, `skerry ${args.join(' ')}`);
    assert.equal(out, '');
    assert.match(err, /^skerry: .+\n  what to do: `skerry.* --help`/);
  }
});

test('--json and --csv print for programs', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve();
  const ann = await world.device('ann');
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'say "hi", twice', 9223372036854775807)`);
  const text = await world.skerry('sql', ann, 'SELECT body, stars, NULL AS empty, 0.1 AS real FROM note', '--json');
  assert.match(text, /"stars": 9223372036854775807/);
  assert.deepEqual({ ...JSON.parse(text)[0], stars: 0 }, { body: 'say "hi", twice', stars: 0, empty: null, real: 0.1 });
  assert.equal(await world.skerry('sql', ann, 'SELECT body, stars FROM note', '--csv'),
    'body,stars\n"say ""hi"", twice",9223372036854775807\n');

  const status = JSON.parse(await world.skerry('status', ann, '--json'));
  assert.equal(status.user, 'ann');
  assert.equal(status.waiting_to_send, 1);
  const synced = JSON.parse(await world.skerry('sync', ann, '--json'));
  assert.equal(synced.waiting_to_settle, 0);
  assert.match(synced.synced_at, /^\d{4}-\d\d-\d\dT.*Z$/);
  const server = JSON.parse(await world.skerry('status', 'server', '--json'));
  assert.deepEqual(server.entities, [{ entity: 'note', rows: 1 }, { entity: 'word', rows: 0 }]);
  const opened = JSON.parse(await world.skerry('device', 'open', ann, '--json'));
  assert.equal(opened.device, status.device);
});

test('init without a model writes one that it accepts', async (t) => {
  const world = new World(t);
  const said = await world.skerry('init', 'tasks');
  assert.match(said, /next:\n {2}skerry token tasks/);
  assert.deepEqual(JSON.parse(await world.skerry('status', 'tasks', '--json')).app, 'tasks');
});

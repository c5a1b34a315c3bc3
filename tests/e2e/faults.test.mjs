import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as create_socket } from 'node:net';
import { test } from 'node:test';
import { World, exec, uuid } from './kit.mjs';

// Listens on a free port of this machine until the test ends; gives the port.
function listen(t, server) {
  return new Promise((done) => server.listen(0, '127.0.0.1', () => {
    t.after(() => new Promise((closed) => {
      server.close(closed);
      server.closeAllConnections?.();
    }));
    done(server.address().port);
  }));
}

async function world_with_server(t) {
  const world = new World(t);
  await world.init();
  await world.serve();
  return world;
}

test('a port that is taken is named', async (t) => {
  const world = new World(t);
  await world.init();
  const port = await listen(t, create_socket());
  const err = await world.fails('address_in_use', 'serve', 'server', '--port', String(port));
  assert.match(err, new RegExp(String(port)));
  assert.match(err, /--port/);
});

test('a wrong token is refused, and no store is left behind', async (t) => {
  const world = await world_with_server(t);
  await world.fails('unauthorized', 'device', 'open', 'x.db', '--server', world.url, '--token', 'skt_wrong');
  assert.equal(existsSync(world.path('x.db')), false);
});

test('the token may come from the environment; without any a new store is refused', async (t) => {
  const world = await world_with_server(t);
  const token = (await world.skerry('token', 'server', '--user', 'ann')).trim();
  assert.match(token, /^skt_\S{40,}$/);
  const opened = await world.run(['device', 'open', 'a.db', '--server', world.url], { env: { SKERRY_TOKEN: token } });
  assert.equal(opened.code, 0, opened.err);
  assert.match(opened.out, /user +ann/);
  assert.doesNotMatch(opened.out + opened.err, /skt_/);
  await world.fails('invalid_argument', 'device', 'open', 'b.db', '--server', world.url);
});

test('a token file is for its owner only', async (t) => {
  const world = new World(t);
  await world.init();
  await world.skerry('token', 'server', '--user', 'ann', '--out', 'a.token');
  assert.equal(statSync(world.path('a.token')).mode & 0o777, 0o600);
});

test('nobody at the address: offline, and the change is kept', async (t) => {
  const world = await world_with_server(t);
  const ann = await world.device('ann');
  const socket = create_socket();
  const port = await listen(t, socket);
  await new Promise((closed) => socket.close(closed));  // now nobody listens there
  await world.skerry('device', 'open', ann, '--server', `http://127.0.0.1:${port}`);
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'kept', 1)`);
  await world.fails('offline', 'sync', ann);
  await world.skerry('device', 'open', ann, '--server', world.url);
  await world.sync(ann);
  assert.deepEqual(await world.sql('server', 'SELECT body FROM note'), [{ body: 'kept' }]);
});

// A line that breaks: every connection ends after so many bytes, in both directions together.
async function breaking_line(t, port, bytes_max) {
  const line = { tears: 0, bytes: 0, max: bytes_max };
  const socket = create_socket((down) => {
    const up = connect(port, '127.0.0.1');
    let passed = 0;
    const forward = (from, to) => from.on('data', (chunk) => {
      const part = chunk.subarray(0, Math.max(0, line.max - passed));
      passed += chunk.length;
      line.bytes += part.length;
      to.write(part);
      if (passed < line.max) return;
      line.tears++;
      down.destroySoon();
      up.destroySoon();
    });
    forward(down, up);
    forward(up, down);
    for (const [one, other] of [[down, up], [up, down]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.end());
    }
  });
  line.port = await listen(t, socket);
  return line;
}

test('G_5 P_20 pitfall_61: a line that breaks every 70 KB brings a large transaction up and a first sync down', async (t) => {
  const world = await world_with_server(t);
  await world.sql('server', "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) " +
    "INSERT INTO word SELECT printf('w%05d', i), hex(zeroblob(50)) FROM n");
  const line = await breaking_line(t, world.port, 70_000);
  const ann = await world.device('ann');
  await world.skerry('device', 'open', ann, '--server', `http://127.0.0.1:${line.port}`);
  await world.sql(ann, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) " +
    "INSERT INTO word SELECT printf('d%05d', i), hex(zeroblob(1000)) FROM n");
  let attempts = 0;
  for (; attempts < 200; attempts++) {
    const { code, err } = await world.run(['sync', ann]);
    if (code === 0) break;
    assert.match(err, /offline|truncated/);
    const [{ n }] = await world.sql('server', "SELECT count(*) AS n FROM word WHERE word LIKE 'd%'");
    assert.ok(n === 0 || n === 300, `${n} rows of one transaction`);
  }
  assert.ok(attempts < 200, 'it never got through');
  assert.ok(line.tears > 5, `${line.tears} tears`);
  const all = 'SELECT word, meaning FROM word ORDER BY word';
  assert.deepEqual(await world.sql(ann, all), await world.sql('server', all));
  assert.deepEqual(await world.sql('server', 'SELECT count(*) AS n FROM skerry_log'), [{ n: 1 }]);
});

test('a URL that is none is refused', async (t) => {
  const world = await world_with_server(t);
  await world.fails('invalid_argument', 'device', 'open', 'a.db', '--server', 'ftp://nowhere', '--token', 'skt_x');
});

test('a login page that answers for the server is not taken for data', async (t) => {
  const world = await world_with_server(t);
  const ann = await world.device('ann');
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'kept', 1)`);
  const port = await listen(t, createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<html><body>Please sign in to the network</body></html>');
  }));
  await world.skerry('device', 'open', ann, '--server', `http://127.0.0.1:${port}`);
  await world.fails('foreign_answer', 'sync', ann);
  assert.deepEqual(await world.sql(ann, 'SELECT body FROM note'), [{ body: 'kept' }]);
  await world.skerry('device', 'open', ann, '--server', world.url);
  await world.sync(ann);
  assert.deepEqual(await world.sql('server', 'SELECT body FROM note'), [{ body: 'kept' }]);
});

test('what is not there or not what it should be is named and left alone', async (t) => {
  const world = new World(t);
  await world.fails('not_found', 'sql', 'none.db', 'SELECT 1');
  await world.fails('not_found', 'sync', 'none.db');
  await world.fails('not_found', 'status', 'none.db');
  await world.fails('not_found', 'serve', 'none');
  await world.fails('not_found', 'token', 'none', '--user', 'ann');
  assert.equal(existsSync(world.path('none.db')), false);
  world.write('text.db', 'this is no database, whatever its name says');
  await world.fails('corrupt_store', 'sql', 'text.db', 'SELECT 1');
});

test('a database of another program is refused and not touched', async (t) => {
  const world = new World(t);
  await world.sqlite('other.db', 'CREATE TABLE mine(a); INSERT INTO mine VALUES (1)');
  const { code } = await world.run(['sql', 'other.db', 'SELECT 1']);
  assert.equal(code, 1);
  assert.deepEqual(await world.sqlite('other.db', "SELECT name FROM sqlite_schema WHERE name LIKE 'skerry%'"), []);
});

test('init refuses a folder that has a server, and a model with faults', async (t) => {
  const world = new World(t);
  await world.init();
  await world.fails('already_exists', 'init', 'server');
  world.write('bad.yaml', 'app: a\nversion: 1\naccess: open\nentities:\n  t:\n    attributes: { id: uuid, n: order, m: txt }\n');
  const err = await world.fails('model_invalid', 'init', 'other', '--model', 'bad.yaml');
  assert.match(err, /bad\.yaml:6:\d+: .*'order' is not supported/);
  assert.match(err, /bad\.yaml:6:\d+: .*did you mean 'text'\?/);
  assert.equal(existsSync(world.path('other')), false);
});

test('a model file that cannot follow the one in use is refused', async (t) => {
  const world = new World(t);
  await world.init();
  world.write('server/model.yaml', 'app: other\nversion: 1\naccess: open\nentities: { t: { attributes: { id: uuid } } }\n');
  const err = await world.fails('model_change', 'serve', 'server');
  assert.match(err, /entity 'note' is no longer there/);
});

test('an import with faults names their lines and writes nothing', async (t) => {
  const world = new World(t);
  await world.init();
  world.write('bad.csv', 'id,body,stars\n' + `${uuid(1)},good,1\n${uuid(2)},bad,many\nnope,bad,3\n`);
  const err = await world.fails('value_invalid', 'import', 'server', 'note', 'bad.csv');
  assert.match(err, /line 3: note\.stars: 'many' is not a whole number/);
  assert.match(err, /line 4: note\.id is not a uuid .*: 'nope'/);
  assert.deepEqual(await world.sql('server', 'SELECT * FROM note'), []);
  world.write('foreign.csv', `id,colour\n${uuid(1)},red\n`);
  await world.fails('invalid_argument', 'import', 'server', 'note', 'foreign.csv');
  await world.fails('not_found', 'import', 'server', 'nothing', 'bad.csv');
  await world.fails('not_found', 'import', 'server', 'note', 'none.csv');
  await world.fails('invalid_argument', 'import', 'server', 'note', 'server/model.yaml');
});

test('an import from standard input, with keys of the file and made ones', async (t) => {
  const world = new World(t);
  await world.init();
  const input = `{"id":"${uuid(1)}","body":"with key"}\n`;
  const piped = await world.run(['import', 'server', 'note', '-', '--format', 'ndjson'], { input });
  assert.equal(piped.code, 0, piped.err);
  world.write('made.json', '[{"body": "made", "stars": 1, "colour": "red"}]');
  await world.skerry('import', 'server', 'note', 'made.json', '--ignore', 'colour');
  const rows = await world.sql('server', 'SELECT id, body FROM note ORDER BY body');
  assert.match(rows[0].id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.equal(rows[1].id, uuid(1));
});

test('statements that fail say so, and control of transactions is refused', async (t) => {
  const world = await world_with_server(t);
  const ann = await world.device('ann');
  for (const place of [ann, 'server']) {
    await world.fails('sql', 'sql', place, 'SELEC 1');
    await world.fails('invalid_argument', 'sql', place, 'BEGIN');
  }
  await world.fails('(constraint|key_missing)', 'sql', ann, "INSERT INTO note (body) VALUES ('no key')");
  await world.fails('(value_invalid|constraint)', 'sql', ann, "INSERT INTO note VALUES ('no uuid', 'x', 1)");
});

test('control characters of data do not reach the terminal', async (t) => {
  const world = await world_with_server(t);
  const ann = await world.device('ann');
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', char(27) || '[2Jgone' || char(10) || 'x', 1)`);
  const shown = await world.skerry('sql', ann, 'SELECT body FROM note');
  assert.match(shown, /\\x1b\[2Jgone\\nx/);
  assert.equal(shown.includes('\x1b'), false);
  const { code, err } = await world.run(['sql', ann, 'SELECT 1 FROM "\x1b[31m"']);
  assert.equal(code, 1);
  assert.equal(err.includes('\x1b'), false);
});

test('a server that is told to stop says goodbye and exits with 0', async (t) => {
  const world = await world_with_server(t);
  await world.stop_server();
  assert.equal(world.server.lines.at(-1), 'stopped');
});

test('the sqlite3 shell reads the stores as ordinary tables', async (t) => {
  const world = await world_with_server(t);
  const ann = await world.device('ann');
  const { out } = await exec('sqlite3', [world.path(ann), '.schema note']);
  assert.match(out, /STRICT/);
});

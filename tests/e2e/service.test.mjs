// The server as a service: settings, health, metrics, logs, the stop, a full disk.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { World, assert_same, exec, skerry_path, uuid } from './kit.mjs';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const unit_file = resolve(here, '../../packaging/skerry.service');

async function token_of(world, user, label) {
  return (await world.skerry('token', 'server', '--user', user, '--label', label)).trim();
}

// A connection of bytes: what arrived so far, and a promise for a pattern in it or for its end.
function dial(t, url) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  const line = { socket, text: '' };
  let look = () => {};
  socket.on('data', (data) => { line.text += data; look(); });
  socket.on('error', () => look(true));
  line.ended = new Promise((done) => socket.on('close', () => { look(true); done(); }));
  line.until = (pattern) => new Promise((done, failed) => {
    look = (ended) => {
      if (pattern.test(line.text)) done(line.text);
      else if (ended) failed(new Error(`ended without ${pattern}: ${line.text}`));
    };
    look(socket.closed);
  });
  return line;
}

test('settings: the command line, then the environment, then the file, then the default', async (t) => {
  const world = new World(t);
  await world.init();
  world.write('server/skerry.conf', '# ours\nport = 1000\nlog_level = error\nretention_days = 5  # short\n');
  const printed = await world.run(['serve', 'server', '--print-config', '--port', '3000'],
    { env: { SKERRY_PORT: '2000', SKERRY_LOG_LEVEL: 'debug', SKERRY_TOKEN: 'skt_secret' } });
  assert.equal(printed.code, 0, printed.err);
  const line = (name) => printed.out.split('\n').find((text) => text.startsWith(`${name} = `)).replace(/ +/g, ' ');
  assert.equal(line('port'), 'port = 3000 # --port');
  assert.equal(line('log_level'), 'log_level = debug # SKERRY_LOG_LEVEL');
  assert.equal(line('retention_days'), 'retention_days = 5 # server/skerry.conf:4');
  assert.equal(line('listen'), 'listen = 127.0.0.1 # default');
  assert.doesNotMatch(printed.out + printed.err, /secret/);
  world.write('other.conf', 'port = 4000\n');
  assert.match(await world.skerry('serve', 'server', '--print-config', '--config', 'other.conf'), /^port = 4000 +# other\.conf:1$/m);
});

test('settings that are wrong are refused by name, with file and line', async (t) => {
  const world = new World(t);
  await world.init();
  for (const [content, message] of [
    ['port = 1\n\ncolour = red\n', /server\/skerry\.conf:3: there is no setting "colour"/],
    ['port = many\n', /server\/skerry\.conf:1: port: "many" is not a whole number/],
    ['port = 1\nport = 2\n', /server\/skerry\.conf:2: port was given in server\/skerry\.conf:1 already/],
  ]) {
    world.write('server/skerry.conf', content);
    // Also where a stronger place gives the same setting.
    assert.match(await world.fails('invalid_argument', 'serve', 'server', '--port', '0'), message);
  }
  world.write('server/skerry.conf', '');
  const { code, err } = await world.run(['serve', 'server'], { env: { SKERRY_METRICS: 'yes' } });
  assert.equal(code, 1);
  assert.match(err, /SKERRY_METRICS: "yes" is neither on nor off/);
  await world.fails('not_found', 'serve', 'server', '--config', 'none.conf');
});

test('health, readiness and metrics over HTTP', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve(['--metrics', 'on']);
  const ann = await world.device('ann');
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'hello', 1)`);
  await world.sync(ann);
  assert.equal(await (await fetch(`${world.url}/healthz`)).text(), 'ok\n');
  assert.equal(await (await fetch(`${world.url}/readyz`)).text(), 'ready\n');
  assert.equal((await fetch(`${world.url}/metrics`)).status, 401);
  const headers = { Authorization: `Bearer ${await token_of(world, 'watcher', 'metrics')}` };
  const page = await fetch(`${world.url}/metrics`, { headers });
  assert.match(page.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const text = await page.text();
  assert.match(text, /^skerry_transactions_total\{verdict="applied"\} 1$/m);
  assert.match(text, /^skerry_requests_total\{route="\/v1\/push",status="200"\} 1$/m);
  assert.match(text, /^skerry_devices 1$/m);
});

test('security T32: no token in any log, and each event one line', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve(['--log-level', 'debug', '--log-format', 'json', '--metrics', 'on']);
  const ann = await world.device('ann');
  const token = readFileSync(world.path('ann.token'), 'utf8').trim();
  await world.sync(ann);
  const wrong = `skt_${'w'.repeat(43)}`;
  for (const target of ['/v1/push', '/metrics', `/v1/pull?token=${token}`, `/${token}`, '/x%0d%0alevel=error']) {
    for (const bearer of [token, wrong])
      await (await fetch(world.url + target, { method: 'POST', headers: { Authorization: `Bearer ${bearer}` }, body: bearer })).text();
  }
  const raw = dial(t, world.url);
  raw.socket.write(`GET /${token} HTTP/1.1\r\nAuthorization: Bearer ${token}\r\n${token}\r\n\r\n`);
  await raw.ended;
  await world.stop_server();
  const log = world.server.errors;
  assert.ok(log.length > 0);
  for (const line of log.trimEnd().split('\n')) {
    const event = JSON.parse(line);
    assert.deepEqual(Object.keys(event), ['time', 'level', 'message']);
    assert.match(event.level, /^(debug|info|warning|error)$/);
  }
  for (const secret of [token, wrong]) {
    assert.doesNotMatch(log, new RegExp(secret.slice(4, 20)));
    assert.doesNotMatch(world.server.lines.join('\n'), new RegExp(secret.slice(4, 20)));
  }
});

test('SIGTERM: what runs is finished, who comes is asked to come later, streams end, the log is folded in', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve();
  const ann = await world.device('ann');
  const watch = await world.start(['watch', ann, 'SELECT body FROM note', '--timeout', '60', '--json'], /^\[\]$/);
  await world.sql('server', `INSERT INTO note VALUES ('${uuid(1)}', 'hello', 1)`);
  await world.line(watch, /hello/);  // the stream is open

  const running = dial(t, world.url);
  const token = readFileSync(world.path('ann.token'), 'utf8').trim();
  running.socket.write(`POST /v1/push HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/vnd.skerry\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`);
  await running.until(/^HTTP\/1\.1 100 /);
  const begun = Date.now();
  world.server.kill('SIGTERM');
  await new Promise((said) => {
    const look = () => (/http: stopping/.test(world.server.errors) ? said() : world.server.stderr.once('data', look));
    look();
  });
  const late = dial(t, world.url);
  late.socket.write('GET /readyz HTTP/1.1\r\nHost: h\r\n\r\n');
  await late.until(/^HTTP\/1\.1 503 [^]*retry-after: \d+/i);
  running.socket.write('oops');
  await running.until(/HTTP\/1\.1 400 /);
  assert.equal(await world.server.ended, 0, world.server.errors);
  assert.ok(Date.now() - begun < 10_000);
  assert.equal(world.server.lines.at(-1), 'stopped');
  const wal = world.path('server/server.db-wal');
  assert.ok(!existsSync(wal) || statSync(wal).size === 0);

  await world.serve();
  await world.sql('server', `INSERT INTO note VALUES ('${uuid(2)}', 'again', 1)`);
  await world.line(watch, /again/);  // the device came back by itself
});

test('a full disk: pushes wait, pulls go on, readiness says so, nothing is lost', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve();
  const [ann, ben] = [await world.device('ann'), await world.device('ben')];
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'before', 1)`);
  await world.sync(ann);
  await world.stop_server();

  // No file of the server may grow beyond a megabyte: the write-ahead log is full before it is folded in.
  await world.serve([], { wrap: ['bash', '-c', 'ulimit -f 1024 && exec "$@"', 'limited'] });
  await world.sql(ann, `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO note SELECT '0190a000-0000-7000-8000-' || printf('%012d', i), hex(zeroblob(500)), i FROM n`);
  const { code, err } = await world.run(['sync', ann]);
  assert.equal(code, 1);
  assert.match(err, /server_busy: .*disk is full/);
  const ready = await fetch(`${world.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.equal(await ready.text(), 'the database cannot be written: disk_full\n');
  assert.equal((await fetch(`${world.url}/healthz`)).status, 200);
  await world.sync(ben);
  assert.deepEqual(await world.sql(ben, 'SELECT body FROM note'), [{ body: 'before' }]);
  assert.match(world.server.errors, /level=error message="disk_full: /);
  await world.stop_server();

  await world.serve();  // without the limit
  assert.equal((await fetch(`${world.url}/readyz`)).status, 200);
  await world.sync(ann, ben);
  const rows = await assert_same(world, [ann, ben, 'server/server.db'], 'SELECT count(*) AS n, sum(stars) AS s FROM note');
  assert.equal(rows[0].n, 2992);
});

test('the systemd unit: hardened, stops by SIGTERM, and systemd accepts it', async (t) => {
  const unit = readFileSync(unit_file, 'utf8');
  for (const line of ['User=skerry', 'StateDirectory=skerry', 'StateDirectoryMode=0700', 'UMask=0077', 'NoNewPrivileges=yes',
    'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'PrivateDevices=yes', 'CapabilityBoundingSet=', 'KillSignal=SIGTERM',
    'MemoryDenyWriteExecute=yes', 'RestrictNamespaces=yes', 'SystemCallFilter=@system-service', 'TimeoutStopSec=15'])
    assert.ok(unit.split('\n').includes(line), line);
  assert.match(unit, /^ExecStart=\/usr\/bin\/skerry serve \S+$/m);
  const world = new World(t);
  world.write('skerry.service', unit.replace('/usr/bin/skerry', skerry_path));
  const { code, err } = await exec('systemd-analyze', ['verify', world.path('skerry.service')]);
  if (code === 'ENOENT') return t.diagnostic('systemd-analyze is not here: only the lines were looked at');
  assert.equal(code, 0, err);
  assert.doesNotMatch(err, /skerry\.service/);
});

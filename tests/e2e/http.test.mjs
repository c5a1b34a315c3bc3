// The server's HTTP over a real socket: paths that look alike, tokens, other sites, logs, files.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { World, exec, memory_of, uuid } from './kit.mjs';

// Everything that a server answers to these bytes until it closes.
function send(url, bytes) {
  return new Promise((done) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const pieces = [];
    socket.on('data', (data) => pieces.push(data));
    socket.on('error', () => {});
    socket.on('close', () => done(Buffer.concat(pieces).toString('latin1')));
    socket.end(Buffer.from(bytes, 'latin1'));
  });
}

const status_of = (answer) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

async function server(t, args = []) {
  const world = new World(t);
  await world.init();
  await world.serve(['--metrics', 'on', '--log-level', 'debug', '--log-format', 'json', ...args]);
  const token = async (user, ...more) => (await world.skerry('token', 'server', '--user', user, ...more)).trim();
  return { world, token };
}

test('security T22: a path is one route or none, however it is spelt', async (t) => {
  const { world, token } = await server(t);
  const bearer = await token('ann');
  const metrics = await token('watcher', '--label', 'metrics');
  const ask = (method, target, authorization = bearer) =>
    send(world.url, `${method} ${target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${authorization}\r\nContent-Type: application/vnd.skerry\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const spellings = (path) => [
    `/${path}`, `${path}/`, `${path}//`, `/.${path}`, `/./${path.slice(1)}`, `/a/..${path}`, `${path}/.`, `${path}/..`, `${path};x=1`, `${path}?x=1`, `${path}?`, `${path}%20`,
    `${path}%00`, `${path}%2f`, `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`, path.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`), path.toUpperCase(),
    path[0] + path[1].toUpperCase() + path.slice(2), `${path}\xe9`, `${path}\xc0\xaf`, `\\${path.slice(1)}`, path.replaceAll('/', '\\'), `${path}#x`, `/v1/${path}`, `${path}.json`, `${path}~`,
  ];
  for (const [path, method, right] of [['/v1/enroll', 'POST', 400], ['/v1/push', 'POST', 400], ['/v1/pull', 'POST', 400], ['/v1/check', 'POST', 400], ['/healthz', 'GET', 200], ['/readyz', 'GET', 200], ['/metrics', 'GET', 200]]) {
    const who = path === '/metrics' ? metrics : bearer;
    assert.equal(status_of(await ask(method, path, who)), right, path);
    const nothing = /\r\n\r\n[^]*$/.exec(await ask(method, '/nothing', who))[0];
    for (const target of spellings(path)) {
      const answer = await ask(method, target, who);
      assert.match(answer, target.startsWith('\\') ? /^HTTP\/1\.1 400 / : /^HTTP\/1\.1 404 /, `${method} ${target}`);
      if (status_of(answer) === 404) assert.equal(/\r\n\r\n[^]*$/.exec(answer)[0], nothing, 'as anything else that is not there');
    }
    for (const target of [`http://h${path}`, `HTTP://127.0.0.1${path}`, `//h${path}`, '*', `h:80`, `?${path}`, path.slice(1), `\x00${path}`, `${path}\x00`, `${path}\x01`, `${path} x`]) {
      const status = status_of(await ask(method, target, who));
      assert.equal(status, target.startsWith('//') ? 404 : 400, `${method} ${JSON.stringify(target)}`);
    }
  }
  for (const method of ['OPTIONS', 'TRACE', 'CONNECT', 'HEAD', 'PROPFIND', 'get'])
    for (const target of ['/v1/push', '/healthz', '/metrics'])
      assert.equal(status_of(await ask(method, target)), 404, `${method} ${target}`);
  assert.equal(status_of(await ask('OPTIONS', '*')), 400);
  assert.equal(status_of(await ask('CONNECT', '127.0.0.1:80')), 400);
});

test('a token is asked for before the body is read, and a body that nobody may send costs nothing', async (t) => {
  const { world, token } = await server(t);
  const head = (target, bearer, length) =>
    `POST ${target} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${bearer}\r\nContent-Type: application/vnd.skerry\r\nContent-Length: ${length}\r\n\r\n`;
  const good = await token('ann');
  const wrong = `skt_${'w'.repeat(43)}`;
  // Half a body, and then nothing: who had to wait for the rest would wait for ever.
  const answer_of = (bytes) => new Promise((done) => {
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1', () => socket.write(bytes));
    t.after(() => socket.destroy());
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (data) => { text += data.toString('latin1'); if (text.includes('\r\n\r\n')) done(text); });
  });
  for (const target of ['/v1/enroll', '/v1/push', '/v1/pull', '/v1/check'])
    assert.match(await answer_of(head(target, wrong, 60_000) + 'x'.repeat(30_000)), /^HTTP\/1\.1 401 [^]*connection: close/i);
  assert.match(await answer_of(head('/v1/nothing', good, 60_000) + 'x'), /^HTTP\/1\.1 404 /);
  assert.match(await answer_of(head('/healthz', good, 60_000) + 'x'), /^HTTP\/1\.1 404 /);
  assert.match(await answer_of(head('/v1/push', good, 1e9)), /^HTTP\/1\.1 413 [^]*limit_exceeded: /);
  const coded = head('/v1/push', good, 60_000).replace('Content-Length', 'Content-Encoding: zstd\r\nContent-Length');
  assert.match(await answer_of(coded), /^HTTP\/1\.1 415 [^]*content coding/);
  // Many at once that each announce the largest body leave the memory as it was.
  const before = memory_of(world.server.pid);
  await Promise.all(Array.from({ length: 200 }, () => answer_of(head('/v1/push', wrong, 20 << 20) + 'x'.repeat(1 << 20))));
  const more = memory_of(world.server.pid) - before;
  assert.ok(more < 32 << 20, `${more} bytes`);
});

test('security T12: without files for more connections, those that only wait make room', async (t) => {
  const world = new World(t);
  await world.init();
  await world.serve([], { wrap: ['bash', '-c', 'ulimit -n 64 && exec "$@"', 'limited'] });
  const ann = await world.device('ann');
  const silent = Array.from({ length: 300 }, () => connect(Number(new URL(world.url).port), '127.0.0.1'));
  t.after(() => silent.forEach((socket) => socket.destroy()));
  await Promise.all(silent.map((socket) => new Promise((done) => { socket.on('connect', done).on('error', done).write('GET / HT'); })));
  await world.sql(ann, `INSERT INTO note VALUES ('${uuid(1)}', 'got through', 1)`);
  await world.sync(ann);
  assert.equal((await fetch(`${world.url}/readyz`)).status, 200);
  assert.match(world.server.errors, /the limit of open files is 64: at most 32 connections instead of 10000/);
  assert.doesNotMatch(world.server.errors, /level=error|Too many open files/);
});


test('security T18, T19: no cookie, no header that lets another site read, no form that writes', async (t) => {
  const { world, token } = await server(t);
  const bearer = await token('ann');
  for (const [method, path] of [['GET', '/healthz'], ['GET', '/readyz'], ['GET', '/metrics'], ['POST', '/v1/pull'], ['POST', '/v1/push'], ['OPTIONS', '/v1/push'], ['GET', '/nothing']]) {
    for (const extra of [{}, { Authorization: `Bearer ${bearer}` }]) {
      const answer = await fetch(world.url + path, { method, headers: { Origin: 'http://evil.example', Cookie: `token=${bearer}; Authorization=${bearer}`, ...extra } });
      for (const [name] of answer.headers) assert.doesNotMatch(name, /^(access-control-|set-cookie)/i);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      if (path.startsWith('/v1/') && method === 'POST') assert.equal(answer.status, extra.Authorization ? 415 : 401, 'a cookie is no token');
      await answer.arrayBuffer();
    }
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
    for (const path of ['/v1/push', `/v1/push?token=${bearer}`, `/v1/push?access_token=${bearer}`]) {
      const answer = await fetch(world.url + path, { method: 'POST', headers: { 'Content-Type': type }, body: '{"frame":"push"}\n' });
      assert.equal(answer.status, path === '/v1/push' ? 401 : 404);
    }
});

test('security T23: JSON that two readers could read differently is refused', async (t) => {
  const { world, token } = await server(t);
  const bearer = await token('ann');
  const device = 'd'.repeat(32);
  const ask = async (path, body) => {
    const answer = await fetch(`${world.url}/v1/${path}`, { method: 'POST', headers: { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/x-ndjson' }, body });
    return { status: answer.status, text: await answer.text() };
  };
  assert.equal((await ask('enroll', `{"frame":"enroll","device":"${device}","name":"x"}`)).status, 200);
  const transaction = (values) => `{"frame":"push","device":"${device}"}\n{"frame":"transaction","number":1,"id":"${device}","operations":[{"operation":"insert","entity":"note","key":"${uuid(1)}","values":${values}}]}\n`;
  const deep = (n) => '['.repeat(n) + ']'.repeat(n);
  for (const [body, why] of [
    [`{"frame":"push","device":"${device}","device":"${'e'.repeat(32)}"}`, /twice/],
    [`{"frame":"push","device":"${device}","d\\u0065vice":"${'e'.repeat(32)}"}`, /twice/],
    [transaction('{"body":"a","body":"b"}'), /twice/],
    [transaction('{"body":"a","bo\\u0064y":"b"}'), /twice/],
    [transaction('{"__proto__":{"body":"a"}}'), /no attribute/],
    [transaction('{"constructor":"a"}'), /no attribute/],
    [`{"frame":"push","device":"${device}","__proto__":{}}`, /no member/],
    [transaction(`{"body":${deep(101)}}`), /too deep/],
    [transaction(`{"body":${deep(1_000_000)}}`), /too deep/],
    ['['.repeat(5_000_000), /JSON/],
    [transaction('{"stars":1e400}'), /./], [transaction('{"stars":9223372036854775808}'), /./], [transaction('{"stars":9007199254740993.0}'), /./],
    [transaction('{"stars":01}'), /JSON/], [transaction('{"stars":+1}'), /JSON/], [transaction('{"stars":NaN}'), /JSON/], [transaction('{"stars":0x1}'), /JSON/],
    [`\ufeff{"frame":"push","device":"${device}"}`, /JSON/],
    [Buffer.from(`{"frame":"push","device":"${device}"}`, 'utf16le'), /JSON/],
    [Buffer.concat([Buffer.from('{"frame":"push","device":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), /./],
    [Buffer.concat([Buffer.from('{"frame":"push","device":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]), /./],
    [transaction('{"body":"\\ud800"}'), /./], [transaction('{"body":"\\u0000"}'), /./], [transaction('{"body":"a\nb"}'), /JSON/], [transaction("{'body':'a'}"), /JSON/],
    [transaction('{"body":"a",}'), /JSON/], [transaction('{"body":"a"}// x'), /JSON/], [`${transaction('{"body":"a"}').trimEnd()}{}\n`, /JSON/],
  ]) {
    const { status, text } = await ask('push', body);
    assert.equal(status, 400, `${String(body).slice(100, 400)}\n${text.slice(0, 300)}`);
    assert.match(text, /"code":"invalid_argument"/);
    assert.match(text, why);
  }
  assert.deepEqual(await world.sqlite('server/server.db', 'SELECT * FROM note'), []);
  assert.equal((await ask('push', transaction('{"body":"a","stars":"9223372036854775807"}'))).status, 200);
  assert.deepEqual(await world.sqlite('server/server.db', 'SELECT body, CAST(stars AS TEXT) AS stars FROM note'), [{ body: 'a', stars: '9223372036854775807' }]);
});

test('security T32: no token in anything that is said, whatever goes wrong with it', async (t) => {
  const { world, token } = await server(t);
  const canaries = [await token('ann'), await token('ann', '--days', '1'), await token('watcher', '--label', 'metrics'), `skt_${'c'.repeat(43)}`, 'canary-password-4711'];
  const revoked = await token('eve', '--label', 'gone');
  canaries.push(revoked);
  await world.sqlite('server/server.db', "DELETE FROM skerry_token WHERE label = 'gone'");
  const answers = [];
  const targets = (c) => ['/v1/push', '/v1/pull', '/metrics', `/v1/pull?token=${c}`, `/${c}`, `/v1/push/${c}`, '/x%0d%0a{"level":"error"}', '/\x1b[2J', `/${c}\x7f`, `/\xe2\x80\xae${c}`];
  for (const c of canaries) {
    for (const target of targets(c)) {
      for (const type of ['application/vnd.skerry', 'application/x-ndjson', c]) {
        const fields = `Host: ${c}\r\nAuthorization: Bearer ${c}\r\nContent-Type: ${type}\r\nCookie: ${c}\r\nX-Token: ${c}\r\nUser-Agent: ${c}\r\n`;
        for (const tail of [`Content-Length: ${c.length}\r\n\r\n${c}`, `Content-Length: 9999\r\n\r\n${c}`, `Transfer-Encoding: ${c}\r\n\r\n`, `Transfer-Encoding: chunked\r\n\r\n${c}`, `Content-Length: ${c}\r\n\r\n`, `Expect: ${c}\r\n\r\n`, `Content-Encoding: ${c}\r\nContent-Length: 4\r\n\r\nabcd`, `${c}\r\n\r\n`, `X: a\r\n ${c}\r\n\r\n`])
          answers.push(await send(world.url, `POST ${target} HTTP/1.1\r\n${fields}${tail}`));
        answers.push(await send(world.url, `${c} ${target} HTTP/1.1\r\n${fields}\r\n`), await send(world.url, `GET ${target} ${c}\r\n${fields}\r\n`));
      }
    }
    // A frame, a line and a device that hold it.
    for (const body of [`SKRY${c}`, `{"frame":"${c}"}`, `{"${c}":1}`, `{"frame":"enroll","device":"${c}"}`]) {
      for (const path of ['enroll', 'push', 'pull', 'check']) {
        const answer = await fetch(`${world.url}/v1/${path}`, { method: 'POST', headers: { Authorization: `Bearer ${canaries[0]}`, 'Content-Type': body.startsWith('{') ? 'application/x-ndjson' : 'application/vnd.skerry' }, body });
        await answer.text();  // it may quote what its sender sent
      }
    }
  }
  await world.stop_server();
  const { err, out } = await world.run(['serve', 'server', '--print-config'], { env: { SKERRY_TOKEN: canaries[0] } });
  const log = world.server.errors;
  assert.ok(log.split('\n').length > 1000, 'the log tells of all of it');
  const said = { log, stdout: world.server.lines.join('\n'), config: out + err, answers: answers.join('\n') };
  for (const c of canaries) {
    const secret = c.startsWith('skt_') ? c.slice(4, 24) : c;
    for (const [where, text] of Object.entries(said)) {
      if (c === 'canary-password-4711' && where === 'log') continue;  // a path is logged; only what looks like a token is hidden in it
      assert.ok(!text.includes(secret), `${where} holds ${secret}: ${text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret) + 40)}`);
    }
  }
  for (const line of log.trimEnd().split('\n')) {
    const event = JSON.parse(line);
    assert.deepEqual(Object.keys(event), ['time', 'level', 'message']);
    assert.match(event.level, /^(debug|info|warning)$/, line);
    assert.doesNotMatch(line, /[\x00-\x1f\x7f]/);
  }
});

test('security T40: every file that the programs make is for its owner only, whatever the umask is', async (t) => {
  const world = new World(t);
  chmodSync(world.dir, 0o755);
  const wrap = ['bash', '-c', 'umask 000 && exec "$@"', 'open'];
  const run = async (...args) => {
    const { code, out, err } = await exec(wrap[0], [...wrap.slice(1), join(process.env.SKERRY_BIN ?? 'build/release/bin', 'skerry'), ...args], { cwd: world.dir, env: { ...process.env, SKERRY_TOKEN: '' } });
    assert.equal(code, 0, `skerry ${args.join(' ')}\n${out}${err}`);
  };
  await world.write('model.yaml', 'app: notes\nversion: 1\naccess: open\nentities:\n  note:\n    attributes: { id: uuid, body: text, stars: int }\n');
  await run('init', 'server', '--model', 'model.yaml');
  await world.serve([], { wrap });
  await run('token', 'server', '--user', 'ann', '--out', 'ann.token');
  await run('device', 'open', 'ann.db', '--server', world.url, '--token-file', 'ann.token');
  await run('sql', 'ann.db', `INSERT INTO note VALUES ('${uuid(1)}', hex(zeroblob(450000)), 1)`);
  await run('sync', 'ann.db');
  await run('backup', 'server', '--to', 'monday.db');
  const mode = (name) => (statSync(world.path(name)).mode & 0o777).toString(8);
  assert.equal(mode('server'), '700');
  const made = readdirSync(world.dir, { recursive: true }).filter((name) => statSync(world.path(name)).isFile() && name !== 'model.yaml');
  for (const name of ['server/server.db', 'server/server.db-wal', 'server/server.db-shm', 'ann.db', 'ann.token', 'monday.db']) assert.ok(made.includes(name), `${name} of ${made}`);
  for (const name of made) {
    // What holds nothing of anybody may be read; the folder is closed anyway.
    assert.equal(mode(name), name === 'server/model.yaml' || name.endsWith('-sync') ? mode(name) : '600', name);
    assert.equal(Number.parseInt(mode(name), 8) & 0o022, 0, `${name} can be written by others: ${mode(name)}`);
  }
});

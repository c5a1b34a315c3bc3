// security T12: slowhttptest holds connections in every way it knows, and devices beside it go on syncing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { World, assert_same, exec, memory_of, uuid } from './kit.mjs';

const connections_max = 300;
const seconds = 12;  // of each attack


// The tool sends no headers of ours, but what it is told to put into one it puts there as it is.
const carrying = (value, token) => `${value}\r\nAuthorization: Bearer ${token}`;

test('slow headers, bodies, readers and ranges: everybody else is served, and the memory stays', async (t) => {
  if ((await exec('slowhttptest', ['-h'])).code === 'ENOENT') return t.skip('slowhttptest is not here (tools/packages.txt names it)');
  const world = new World(t);
  await world.init();
  await world.serve(['--connections-max', String(connections_max), '--metrics', 'on']);
  const [ann, ben] = [await world.device('ann'), await world.device('ben')];
  const watcher = (await world.skerry('token', 'server', '--user', 'watcher', '--label', 'metrics')).trim();
  const user = readFileSync(world.path('ann.token'), 'utf8').trim();
  await world.sync(ann, ben);
  const watching = await world.start(['watch', ben, 'SELECT count(*) AS n FROM note', '--timeout', '300', '--json'], /"n": 0\b/);
  const before = memory_of(world.server.pid);
  let written = 0;

  const attacks = [
    ['slow headers, more than there is room for', ['-H', '-c', '600', '-r', '300', '-i', '2', '-u', `${world.url}/healthz`]],
    ['slow bodies without a token', ['-B', '-c', '600', '-r', '300', '-i', '2', '-s', '1000000', '-u', `${world.url}/v1/push`]],
    ['slow bodies of a user', ['-B', '-c', '200', '-r', '200', '-i', '2', '-s', '1000000', '-f', carrying('application/vnd.skerry', user), '-u', `${world.url}/v1/push`]],
    ['slow readers', ['-X', '-c', '200', '-r', '200', '-w', '1', '-y', '16', '-n', '2', '-z', '4', '-k', '3', '-m', carrying('*/*', watcher), '-u', `${world.url}/metrics`]],
    ['ranges', ['-R', '-c', '600', '-r', '300', '-a', '1', '-b', '3000', '-t', 'HEAD', '-u', `${world.url}/healthz`]],
  ];
  for (const [name, args] of attacks) {
    await t.test(name, async () => {
      let over = false;
      const attack = exec('slowhttptest', ['-l', String(seconds), ...args]).then((ended) => { over = true; return ended; });
      let rounds = 0;
      let most = 0;
      while (!over) {
        await world.sql(ann, `INSERT INTO note VALUES ('${uuid(++written)}', 'under attack', ${written})`);
        await world.sync(ann);
        assert.equal((await fetch(`${world.url}/readyz`)).status, 200);
        most = Math.max(most, memory_of(world.server.pid));
        ++rounds;
      }
      const { code, out, err } = await attack;
      assert.match(out, /slowhttptest version|test type/i, `${code} ${err}`);
      assert.ok(rounds >= 3, `${rounds} syncs got through`);
      // The largest message is 25 MB; hundreds of clients that announce one must not come to that.
      assert.ok(most - before < 24 << 20, `${most - before} bytes more`);
      t.diagnostic(`${name}: ${rounds} syncs, ${Math.round((most - before) / 1024)} KiB more at most`);
    });
  }
  await world.line(watching, new RegExp(`"n": ${written}\\b`));  // the stream lived through all of it, or came back
  const rows = await assert_same(world, [ann, ben, 'server/server.db'], 'SELECT count(*) AS n FROM note');
  assert.equal(rows[0].n, written);
});

// skerry-sim as a person uses it: replays, explores, makes a failed plan small, writes the ledger.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World, bin, exec } from './kit.mjs';

const simulator = join(bin, '../tests/simulation/skerry-sim');
const planted = `${simulator}-planted`;

test('a seed is replayed to the byte', async () => {
  const runs = [];
  for (let i = 0; i < 2; ++i) runs.push(await exec(simulator, ['--seed', '0x5eed0003', '--worlds', '3']));
  const traces = runs.map(({ code, out, err }) => {
    assert.equal(code, 0, out + err);
    return out.match(/3 worlds, 0 failed, .* trace ([0-9a-f]{16}), commit \S+/)[1];
  });
  assert.equal(traces[0], traces[1]);
});

test('a failure is told with all that replays it, and becomes a small plan', async (t) => {
  const world = new World(t);
  const smaller = join(world.dir, 'smaller.plan');
  const { code, out } = await exec(planted, ['--plant', '12', '--seed', '0x5eed0000', '--worlds', '60', '--until-fail', '--shrunk', smaller]);
  assert.equal(code, 1, out);
  assert.match(out, /^violated: \S/m);
  assert.match(out, /^commit \S+, seed 0x[0-9a-f]+: .* at \d+ ms of virtual time, event \d+$/m);
  assert.match(out, /^replay: skerry-sim-planted --seed 0x[0-9a-f]+ --trace --plant 12$/m);
  const plan = readFileSync(smaller, 'utf8');
  assert.ok(out.includes(plan));
  assert.ok(plan.trimEnd().split('\n').length <= 1 + 15, plan);
  const again = await exec(planted, ['--plant', '12', '--plan', smaller, '--shrink-seconds', '0']);
  assert.equal(again.code, 1, again.out);
  assert.equal((await exec(simulator, ['--plan', smaller])).code, 0, 'without the bug it holds');
});

test('every crash point of a small plan, and a line for the ledger', async (t) => {
  const world = new World(t);
  const plan = join(world.dir, 'small.plan');
  writeFileSync(plan, 'world seed=7 devices=1 users=1\n10 txn d0 end=commit ; insert note k1 text=s:x n=i:1 tag=n\n500 sync d0\n');
  const ledger = join(world.dir, 'ledger.jsonl');
  const { code, out, err } = await exec(simulator, ['--plan', plan, '--crash-points', '--ledger', ledger]);
  assert.equal(code, 0, out + err);
  const line = JSON.parse(readFileSync(ledger, 'utf8'));
  assert.equal(line.kind, 'crash points');
  assert.equal(line.failed, 0);
  assert.ok(line.crash_points > 100 && line.copies_crashed > 2 * line.crash_points, JSON.stringify(line));
});

test('an explorer that is interrupted tells what it has found so far', async (t) => {
  const world = new World(t);
  const ledger = join(world.dir, 'ledger.jsonl');
  const explorer = spawn(simulator, ['--minutes', '30', '--ledger', ledger]);
  t.after(() => explorer.kill('SIGKILL'));
  let out = '';
  explorer.stdout.on('data', (text) => {
    if (out === '' && text.length > 0) explorer.kill('SIGINT');
    out += text;
  });
  const [code] = await once(explorer, 'close');
  const [, worlds, failed] = out.match(/^(\d+) worlds, (\d+) failed, /m);
  assert.equal(code, failed === '0' ? 0 : 1, out);
  const line = JSON.parse(readFileSync(ledger, 'utf8'));
  assert.deepEqual([line.worlds, line.failed], [Number(worlds), Number(failed)]);
});

test('wrong arguments and plans are answered with what to do', async (t) => {
  const world = new World(t);
  const help = await exec(simulator, ['--help']);
  assert.equal(help.code, 0);
  for (const option of ['--minutes', '--crash-points', '--shrink-seconds', '--model', '--ledger']) assert.ok(help.out.includes(option), option);
  assert.equal((await exec(simulator, ['--minutse', '3'])).code, 2);
  const bad = join(world.dir, 'bad.plan');
  writeFileSync(bad, 'world seed=1\n12 dance d0\n');
  const { code, err } = await exec(simulator, ['--plan', bad]);
  assert.equal(code, 2);
  assert.match(err, /line 2 is no step: 12 dance d0/);
});

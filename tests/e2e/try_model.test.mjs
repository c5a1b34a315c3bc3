// docs/try-your-model.md: the command that it shows is run, and tells what the page says, whatever the numbers are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { World, bin, exec } from './kit.mjs';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const simulator = join(bin, '../tests/simulation/skerry-sim');
const page = readFileSync(join(root, 'docs/try-your-model.md'), 'utf8');

const counted = (line) => line.replace(/\d[\d,]*/g, '#').replace(/\b(once|twice|# times)$/, '#');
const is_example = (line) => line.startsWith('      ');

test('the run on the page is a run', async () => {
  const [, command, shown] = page.match(/^```\n\$ skerry-sim (.*)\n([\s\S]*?)^```$/m);
  const { code, out, err } = await exec(simulator, command.split(' '), { cwd: root });
  assert.equal(code, 0, out + err);
  const said = out.split('\n');
  const lines = new Set(said.map(counted));
  for (const line of shown.trimEnd().split('\n')) {
    if (line === '…' || is_example(line)) continue;
    assert.ok(lines.has(counted(line)), `not in the output: ${line}\n${out}`);
  }
  // Everything that happened has an example below it, except two people who wrote the same.
  said.forEach((line, i) => {
    if (/^ {4}\d/.test(line) && !line.endsWith(' the same value')) assert.ok(is_example(said[i + 1]), line);
  });
});

test('--json is the same for programs, and a broken model is exit code 2 with the words of skerry model check', async (t) => {
  const world = new World(t);
  const good = world.write('good.yaml', 'app: a\nversion: 1\naccess: open\nentities:\n  job:\n    attributes: { id: uuid, note: text, done: bool }\n');
  const { code, out } = await exec(simulator, ['--model', good, '--worlds', '3', '--json'], { cwd: world.dir });
  assert.equal(code, 0);
  const told = JSON.parse(out);
  assert.equal(told.held, true);
  assert.equal(told.worlds, 3);
  const { all, ...verdicts } = told.transactions;
  assert.equal(Object.values(verdicts).reduce((sum, n) => sum + n), all);

  const bad = world.write('bad.yaml', 'app: a\nversion: 1\naccess: open\nentities:\n  job:\n    attributes: { id: uuid, note: txt }\n');
  const check = await world.run(['model', 'check', bad]);
  const tried = await exec(simulator, ['--model', bad], { cwd: world.dir });
  assert.equal(tried.code, 2);
  assert.equal(tried.out, '');
  assert.equal(tried.err, check.err);
});

test('every option of --help is understood, and the page names them', async (t) => {
  const world = new World(t);
  const { code, out } = await exec(simulator, ['--model', 'shop.yaml', '--help']);
  assert.equal(code, 0);
  for (const line of out.split('\n')) assert.ok(line.length <= 120, line);
  assert.match(out, /\nExample:\n {2}skerry-sim --model/);
  world.write('m.yaml', 'app: a\nversion: 1\naccess: open\nentities:\n  job:\n    attributes: { id: uuid, note: text }\n');
  const value = { '--devices': '2', '--worlds': '1', '--minutes': '1', '--seed': '7', '--dump': '.' };
  for (const [, option] of out.matchAll(/^ {2}(--[a-z-]+)/gm)) {
    if (option === '--model') continue;
    const args = ['--model', 'm.yaml', '--worlds', '1', option, ...(option in value ? [value[option]] : [])];
    assert.equal((await exec(simulator, args, { cwd: world.dir })).code, 0, option);
  }
  for (const option of ['--worlds', '--minutes', '--devices', '--seed', '--json']) assert.ok(page.includes(option), option);
});

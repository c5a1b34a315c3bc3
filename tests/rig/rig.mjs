// The rig's command line and its runs; `run` starts it. README.md says what a run is.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { loadavg, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { World, bin } from '../e2e/kit.mjs';
import { check_all, seconds_max } from './check.mjs';
import { all_kinds, carry_out, cast_of, describe_fault, kinds, plan_of } from './faults.mjs';
import { Fleet, why_no_clocks } from './fleet.mjs';
import { Loopback, Namespaces, why_no_namespaces } from './hosts.mjs';
import { Results, summary } from './results.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

const usage = `usage: tests/rig/run [options]

Runs a server process and device processes, each a host of its own, lets things go wrong for some seconds, and checks that
${seconds_max} seconds after the last fault everybody has the same rows and nothing that was acknowledged is lost.

  --kind KIND      kill, pause, network, clock, disk or mixed; may come again, or as a list. Without it: the first five
  --runs N         runs of each kind (1)
  --seconds S      how long things go wrong in a run (30)
  --clients N      devices (10)
  --seed N         of the first run; the next ones have the numbers after it (1)
  --per-minute N   transactions that each device writes a minute (180)
  --net WHERE      namespaces, loopback, or auto: namespaces where they are permitted, else loopback (namespaces)
  --results FILE   a line of JSON for each run; runs that stand in it for this commit are not run again
  --summary FILE   prints a table of what stands in such a file, and runs nothing
  --keep DIR       where the folders of failed runs go (${join(tmpdir(), 'skerry-rig-failed')})
  --keep-all       those of runs that were right too
  --help           this text

Root is needed for namespaces and small disks. On the loopback address the network's faults are the relay's only (no links
are cut), and there are no disks that fill up: kind disk is not run and the output says so.
The programs are those of SKERRY_BIN, else of build/release/bin: skerry and rig_client (cmake --build build/release --target
skerry rig_client). A kind and a seed give the same plan of faults; what the processes make of it differs. Several rigs may
run at one time. Exit code 0: every run was right; 1: not; 2: it cannot be done as asked.

Example:
  tests/rig/run --kind network --runs 20 --results rig.jsonl
`;

function fail(name, text) {
  console.error(`rig: ${name}: ${text}`);
  process.exit(2);
}

function whole(text, name, least, most) {
  const n = Number(text);
  if (!Number.isInteger(n) || n < least || n > most) fail('invalid_argument', `--${name} is a whole number from ${least} to ${most}, not '${text}'`);
  return n;
}

function read_options() {
  const known = { kind: { multiple: true }, runs: {}, seconds: {}, clients: {}, seed: {}, 'per-minute': {}, net: {}, results: {}, keep: {}, summary: {}, 'keep-all': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } };
  let values;
  try {
    ({ values } = parseArgs({ options: Object.fromEntries(Object.entries(known).map(([name, option]) => [name, { type: 'string', ...option }])) }));
  } catch (error) {
    fail('invalid_argument', `${error.message.split('\n')[0]}; tests/rig/run --help tells what there is`);
  }
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  if (values.summary) {
    if (!existsSync(values.summary)) fail('not_found', `there is no file ${values.summary}`);
    console.log(summary(values.summary));
    process.exit(0);
  }
  const wanted = values.kind?.flatMap((list) => list.split(',')) ?? kinds;
  for (const kind of wanted) if (!all_kinds.includes(kind)) fail('invalid_argument', `there is no kind '${kind}'; there are ${all_kinds.join(', ')}`);
  const net = values.net ?? 'namespaces';
  if (!['namespaces', 'loopback', 'auto'].includes(net)) fail('invalid_argument', `--net is namespaces, loopback or auto, not '${net}'`);
  return {
    kinds: wanted,
    runs: whole(values.runs ?? '1', 'runs', 1, 100_000),
    seconds: whole(values.seconds ?? '30', 'seconds', 3, 3600),
    clients: whole(values.clients ?? '10', 'clients', 1, 200),
    seed: whole(values.seed ?? '1', 'seed', 1, 2 ** 40),
    per_minute: whole(values['per-minute'] ?? '180', 'per-minute', 1, 6000),
    net,
    results: values.results && resolve(values.results),
    keep: resolve(values.keep ?? join(tmpdir(), 'skerry-rig-failed')),
    keep_all: values['keep-all'] ?? false,
  };
}

function commit() {
  const git = (...args) => execFileSync('git', ['-C', here, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') ? '-changed' : '');
  } catch {
    return 'unknown';
  }
}

// What is to be taken away again, whatever happens.
let open_run = null;
let stopping = false;

async function one_run(run, { keep, keep_all }) {
  const net = run.net === 'namespaces' ? new Namespaces(run.clients) : new Loopback();
  const cleanups = [];
  const world = new World({ after: (work) => cleanups.push(work) });
  world.port = net.has_links ? 8737 : 0;
  const cast = cast_of(run.kind, run.seed, { clients: run.clients, net });
  const plan = plan_of(run.kind, run.seed, run.seconds, run.clients, { net, ...cast });
  const fleet = new Fleet(world, net, { clients: run.clients, seed: run.seed, per_minute: run.per_minute, has_clocks: run.kind === 'clock' || run.kind === 'mixed', ...cast });
  writeFileSync(world.path('plan.txt'), plan.map((fault) => describe_fault(fault) + '\n').join(''));
  open_run = {
    async remove() {
      open_run = null;
      await fleet.remove();
      for (const work of cleanups) await work();
      await net.remove();
    },
  };
  const found = { faults: plan.length, acknowledged: 0, refused: 0, drafts: 0, noticed: 0, seconds_until_equal: null, violations: [] };
  try {
    await net.make();
    await fleet.start();
    await carry_out(plan, fleet);
    for (const device of fleet.devices) device.say('stop');
    // A server whose disk is full asks its devices to come back in a minute; who asks does not wait.
    if (cast.disks.includes('server')) for (const device of fleet.devices) device.say('ask');
    const { seconds, wrong, ...counts } = await check_all(fleet);
    Object.assign(found, counts, { seconds_until_equal: seconds && Number(seconds.toFixed(2)), violations: wrong });
  } catch (error) {
    found.violations.push(`the run itself failed: ${error.stack}`);
  }
  if (stopping) await new Promise(() => {});  // the process ends when everything is cleaned up
  if (keep_all || found.violations.length > 0) found.kept = keep_folder(world, fleet, run, keep, found.violations);
  await open_run?.remove();
  return found;
}

function replay_of(run) {
  return `tests/rig/run --kind ${run.kind} --seed ${run.seed} --seconds ${run.seconds} --clients ${run.clients} --per-minute ${run.per_minute} --net ${run.net}`;
}

// The folder as it is, small disks included, with what was wrong and how to do it again.
function keep_folder(world, fleet, run, keep, violations) {
  const to = join(keep, `${run.kind}-${run.seed}-${process.pid}-${basename(world.dir)}`);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(world.dir, to, { recursive: true, filter: (path) => basename(path) !== 'filler' });
  writeFileSync(join(to, 'violations.txt'), `${violations.join('\n')}\n\nagain: ${replay_of(run)}\n`);
  return to;
}

async function where(options) {
  const why_not = options.net === 'loopback' ? '' : await why_no_namespaces();
  if (options.net === 'namespaces' && why_not) fail('no_namespaces', `${why_not}. Run it as root where network namespaces are permitted, or with --net loopback, which does less`);
  const net = options.net === 'loopback' || why_not ? 'loopback' : 'namespaces';
  const not_done = [];
  if (net === 'loopback') {
    console.log(`rig: on the loopback address${why_not ? ` (${why_not})` : ''}: the relay's faults are done, cut links are not`);
    not_done.push(['disk', 'there are no small disks without mounts']);
  }
  if (why_no_clocks()) not_done.push(['clock', why_no_clocks()], ['mixed', why_no_clocks()]);
  for (const [kind, why] of not_done.filter(([kind]) => options.kinds.includes(kind))) {
    if (options.net === 'namespaces') fail('not_possible', `kind ${kind}: ${why}`);
    console.log(`rig: NOT DONE: kind ${kind}: ${why}`);
  }
  return { net, kinds: options.kinds.filter((kind) => !not_done.some(([other]) => other === kind)) };
}

async function main() {
  const options = read_options();
  for (const program of ['skerry', 'rig_client']) {
    if (!existsSync(join(bin, program))) fail('not_found', `${join(bin, program)} is not there; build it: cmake --build build/release --target skerry rig_client`);
  }
  const { net, kinds: doable } = await where(options);
  const results = new Results(options.results);
  const of_commit = commit();
  let wrong = 0;
  let ran = 0;
  for (let n = 1; n <= options.runs; n++) {
    for (const kind of doable) {
      const run = { kind, run: n, seed: options.seed + n - 1, commit: of_commit, clients: options.clients, seconds: options.seconds, per_minute: options.per_minute, net };
      if (results.has(run)) continue;
      const found = await one_run(run, options);
      ran++;
      const ok = found.violations.length === 0;
      if (!ok) wrong++;
      const at = new Date().toISOString();
      results.add(run, { at, load: Number(loadavg()[0].toFixed(1)), ok, ...found });
      const refusals = Object.entries(found.refusals ?? {}).map(([name, count]) => `, ${name} ${count}`).join('');
      console.log(`${ok ? 'ok  ' : 'FAIL'} ${kind} run ${n} seed ${run.seed}: ${found.acknowledged} transactions acknowledged, ${found.faults} faults, ` +
        `${found.drafts} drafts${refusals}, equal after ${found.seconds_until_equal ?? '-'} s`);
      for (const line of found.violations.slice(0, 20)) console.log(`     ${line}`);
      if (found.kept) console.log(`     kept in ${found.kept}\n     again: ${replay_of(run)}`);
    }
  }
  console.log(`${ran} runs, ${wrong} wrong`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

async function stop(why, code) {
  if (stopping) return;
  stopping = true;
  console.error(`rig: ${why}: cleaning up`);
  await open_run?.remove();
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal, 130));
process.on('uncaughtException', (error) => stop(error.stack, 1));
await main();

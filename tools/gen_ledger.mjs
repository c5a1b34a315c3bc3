// Writes the ledger in docs/reliability.md from docs/ledger.jsonl, which skerry-sim, tests/rig/run and tests/fuzz/run append to;
// or checks that the page is up to date:
//   node tools/gen_ledger.mjs REPOSITORY [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [root, check] = process.argv.slice(2);
if (!root || (check && check !== '--check')) {
  console.error('usage: node gen_ledger.mjs REPOSITORY [--check]');
  process.exit(2);
}
const page = join(root, 'docs/reliability.md');
const runs = readFileSync(join(root, 'docs/ledger.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const count = (n) => (n === undefined ? 'not counted' : Number(n).toLocaleString('en-US'));
const sum = (of, name) => of.reduce((total, run) => total + Number(run[name] ?? 0), 0);

function table(head, rows) {
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n');
}

const kinds = {
  worlds: (of) => table(['commit', 'day', 'first seed', 'worlds', 'events', 'crashes', 'partitions', 'virtual years', 'violations', 'of which'], [
    ...of.map((r) => [r.commit, r.date, r.first_seed, count(r.worlds), count(r.events), count(r.crashes), count(r.partitions), count(r.virtual_years && Math.round(r.virtual_years)), count(r.failed), r.note ?? '']),
    ['', '', 'all', count(sum(of, 'worlds')), count(sum(of, 'events')), count(sum(of, 'crashes')), count(sum(of, 'partitions')), count(Math.round(sum(of, 'virtual_years'))), count(sum(of, 'failed')), '']]),
  'crash points': (of) => table(['commit', 'day', 'first seed', 'worlds', 'crash points', 'copies that died and were opened', 'violations', 'of which'], [
    ...of.map((r) => [r.commit, r.date, r.first_seed, count(r.worlds), count(r.crash_points), count(r.copies_crashed), count(r.failed), r.note ?? '']),
    ['', '', 'all', count(sum(of, 'worlds')), count(sum(of, 'crash_points')), count(sum(of, 'copies_crashed')), count(sum(of, 'failed')), '']]),
  rig: (of) => table(['commit', 'day', 'fault', 'runs', 'devices', 'faults', 'transactions acknowledged', 'equal after, median / longest', 'violations', 'of which'],
    of.map((r) => [r.commit, r.date, r.fault, count(r.runs), count(r.clients), count(r.faults), count(r.acknowledged), `${r.median_s} s / ${r.longest_s} s`, count(r.failed), r.note ?? ''])),
  fuzz: (of) => table(['fuzzer', 'commit', 'day', 'seconds', 'executions', 'crashes'], [
    ...of.map((r) => [r.fuzzer, r.commit, r.date, count(r.seconds), count(r.executions), count(r.crashes)]),
    ['all', '', '', count(sum(of, 'seconds')), count(sum(of, 'executions')), count(sum(of, 'crashes'))]]),
};

let text = readFileSync(page, 'utf8');
for (const [kind, render] of Object.entries(kinds)) {
  const begin = `<!-- ledger: ${kind} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf('<!-- end -->', from);
  if (from < 0 || to < 0) throw new Error(`docs/reliability.md has no place for ${kind}`);
  text = text.slice(0, from + begin.length) + render(runs.filter((run) => run.kind === kind)) + '\n' + text.slice(to);
}
const known = new Set(Object.keys(kinds));
for (const run of runs) if (!known.has(run.kind)) throw new Error(`docs/ledger.jsonl: there is no kind ${run.kind}`);

if (!check) writeFileSync(page, text);
else if (text !== readFileSync(page, 'utf8')) {
  console.error('docs/reliability.md is not what docs/ledger.jsonl says: run `node tools/gen_ledger.mjs .`');
  process.exit(1);
}

// The file of results: a line of JSON for each run.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const same_run = ['kind', 'seed', 'commit', 'clients', 'seconds', 'per_minute', 'net'];
const name_of = (run) => same_run.map((name) => run[name]).join(' ');

function read(file) {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

export class Results {
  constructor(file) {
    this.file = file;
    this.done = new Set(file && existsSync(file) ? read(file).map(name_of) : []);
  }

  has(run) {
    return this.done.has(name_of(run));
  }

  add(run, found) {
    if (this.file) appendFileSync(this.file, JSON.stringify({ ...run, ...found }) + '\n');
  }
}

const sum = (runs, name) => runs.reduce((all, run) => all + run[name], 0);

// A table for people: one line for each commit and kind.
export function summary(file) {
  const groups = new Map();
  for (const run of read(file)) {
    const name = `${run.commit} | ${run.kind} | ${run.clients}, ${run.seconds}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const lines = [...groups].map(([name, runs]) => {
    const times = runs.map((run) => run.seconds_until_equal).filter((time) => time !== null).sort((a, b) => a - b);
    const right = runs.filter((run) => run.ok).length;
    const load = Math.max(...runs.map((run) => run.load));
    return `| ${name} | ${right} of ${runs.length} | ${sum(runs, 'acknowledged')} | ${sum(runs, 'drafts')} | ${sum(runs, 'faults')} | ` +
      `${times[Math.floor(times.length / 2)] ?? '-'} | ${times.at(-1) ?? '-'} | ${load} |`;
  });
  return ['| commit | kind | devices, seconds | right | acknowledged | drafts | faults | equal after: median s | longest s | load at most |',
    '|---|---|---|---|---|---|---|---|---|---|', ...lines].join('\n');
}

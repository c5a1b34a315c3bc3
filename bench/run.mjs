// Runs the measurements one after the other and prints one table, or a line of JSON for each figure. docs/performance.md
// says what each figure is and how it is measured.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

const groups = ['first_sync', 'local', 'push', 'delta', 'live', 'scopes'];
const usage = `usage: bench/run [--json] [--quick] [--only NAME[,NAME]]

  --json   a line of JSON for each figure: name, value, unit, and limit, least, met where there is a limit
  --quick  fewer repetitions and smaller data: to see that all of it runs, not to quote
  --only   of these groups only: ${groups.join(', ')}

A figure is a ratio to a floor of the same run, or has a limit of its own. Some minutes on an idle machine; other work on it
moves the ratios too. Exit code: 0 all limits met, 1 some missed, 2 wrong command line.`;

let options;
try {
  options = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean', short: 'h' } } }).values;
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}
if (options.help) {
  console.log(usage);
  process.exit(0);
}
const wanted = options.only?.split(',') ?? groups;
const unknown = wanted.filter((name) => !groups.includes(name));
if (unknown.length) {
  console.error(`bench/run: there is no group ${unknown.join(', ')}\n${usage}`);
  process.exit(2);
}

const shown = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
function row({ name, value, unit, limit, least, met, how }) {
  const bound = limit === undefined ? '' : `${least ? 'at least' : 'at most'} ${limit}`;
  return `| \`${name}\` | ${grouped(shown(value))} ${unit} | ${bound} | ${met === undefined ? '' : met ? 'met' : '**missed**'} | ${how} |`;
}

const begun = Date.now();
let missed = 0;
if (!options.json) {
  const model = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB${options.quick ? ', quick: not to be quoted' : ''}\n`);
  console.log('| figure | value | limit | | how it came out |\n|---|---|---|---|---|');
}
for (const group of groups.filter((name) => wanted.includes(name))) {
  const { figures } = await import(`./figures/${group}.mjs`);
  const say = (what) => process.stderr.write(`   ${group}: ${what}\n`);
  for await (const one of figures({ quick: options.quick ?? false, say })) {
    if (one.met === false) missed += 1;
    console.log(options.json ? JSON.stringify(one) : row(one));
  }
}
process.stderr.write(`   ${Math.round((Date.now() - begun) / 1000)} s; ${missed ? `${missed} limits missed` : 'all limits met'}\n`);
process.exitCode = missed ? 1 : 0;

// Writes docs/acceptance.md: the statements that Skerry must be able to show, each with the tests that show it; or
// checks that the page is up to date:
//   node tools/gen_acceptance.mjs REPOSITORY [--check]
// A test shows a statement by carrying its id in its name: M_25 for M-25, pitfall_12, case_A7.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const [root, check] = process.argv.slice(2);
if (!root || (check && check !== '--check')) {
  console.error('usage: node gen_acceptance.mjs REPOSITORY [--check]');
  process.exit(2);
}
const page = join(root, 'docs/acceptance.md');

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (/_test\.cpp$|\.test\.mjs$/.test(entry.name)) yield path;
  }
}

// Names of the tests in a file: what TEST(Suite, Name) and test('name') say.
function names(path, text) {
  if (path.endsWith('.mjs')) return [...text.matchAll(/\b(?:test|it)\(\s*(['"`])((?:(?!\1).)+)\1/g)].map((m) => m[2]);
  return [...text.matchAll(/\b(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)/g)].map((m) => `${m[1]}.${m[2]}`);
}

const shown = new Map();
for (const folder of ['src', 'tests', 'examples', 'bench']) {
  for (const path of files(join(root, folder))) {
    for (const name of names(path, readFileSync(path, 'utf8'))) {
      const ids = [
        ...[...name.matchAll(/(?<![A-Za-z0-9])([GSOMPX])_(\d+)(?![0-9])/g)].map((m) => `${m[1]}-${m[2]}`),
        ...[...name.matchAll(/pitfall_(\d+)/g)].map((m) => `pitfall ${m[1]}`),
        ...[...name.matchAll(/case_([A-N]\d+)/g)].map((m) => `case ${m[1]}`),
      ];
      for (const id of new Set(ids)) {
        if (!shown.has(id)) shown.set(id, []);
        shown.get(id).push(`\`${name}\` (${relative(root, path)})`);
      }
    }
  }
}

const statements = readFileSync(join(root, 'tests/acceptance/statements.txt'), 'utf8').trimEnd().split('\n').map((line) => line.split('\t'));
const known = new Set(statements.map(([id]) => id));
const unknown = [...shown.keys()].filter((id) => /^[GSOMPX]-/.test(id) && !known.has(id));
if (unknown.length > 0) {
  console.error(`tests carry ids that no statement has: ${unknown.join(', ')}`);
  process.exit(1);
}

const tests = (id) => (shown.get(id) ?? []).sort().map((test) => `  - ${test}\n`).join('');
const withTests = statements.filter(([id]) => shown.has(id));
const without = statements.filter(([id]) => !shown.has(id));
const number = (id) => Number(id.match(/\d+/)[0]);
const others = (prefix) => [...shown.keys()].filter((id) => id.startsWith(prefix))
  .sort((a, b) => a.replace(/\d+/, '').localeCompare(b.replace(/\d+/, '')) || number(a) - number(b));
const list = (ids) => ids.map((id) => `- ${id}\n${tests(id)}`).join('');

const text = `# What is shown by which test

What Skerry must be able to show, statement by statement. A test that shows one carries its id in its name (\`M_25\`), so
this page is generated; \`cmake --build build/release --target docs\` writes it anew.
${withTests.length} of ${statements.length} statements have a test.

## Statements with a test

${withTests.map(([id, statement]) => `- **${id}** ${statement}\n${tests(id)}`).join('')}
## Known holes of sync designs, each with the test that keeps it closed

${list(others('pitfall '))}
## Failures of other engines, replayed

${list(others('case '))}
## Statements without a test yet

${without.map(([id, statement]) => `- **${id}** ${statement}\n`).join('')}`;

if (check) {
  if (readFileSync(page, 'utf8') === text) process.exit(0);
  console.error('docs/acceptance.md is not what the tests say; run: cmake --build build/release --target docs');
  process.exit(1);
}
writeFileSync(page, text);

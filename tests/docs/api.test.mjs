// The reference of the public headers: what has no documentation is named, a page that is not up to date is refused.
// Run: node tests/docs/api.test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'skerry-api-test-'));
after(() => rmSync(folder, { recursive: true }));

function generate(...args) {
  try {
    execFileSync('node', [join(here, '../../tools/gen_api.mjs'), ...args], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (error) {
    assert.equal(error.status, 1, error.stderr);
    return error.stderr;
  }
}

// The fixture without its lines that document nothing.
function documented(name) {
  const include = join(folder, `${name}-include`);
  mkdirSync(join(include, 'fixture'), { recursive: true });
  const lines = readFileSync(join(here, 'include/fixture', name), 'utf8').split('\n');
  writeFileSync(join(include, 'fixture', name), lines.filter((line, at) => at === 0 || !line.includes('-> ')).join('\n'));
  return include;
}

for (const [language, name] of [['cpp', 'thing.hpp'], ['c', 'thing.h']]) {
  test(`${name}: each symbol without documentation is named, with file and line`, () => {
    const header = join(here, 'include/fixture', name);
    const page = join(folder, `${name}-bare.md`);
    const said = generate(language, join(here, 'include'), page).trimEnd().split('\n');
    const expected = readFileSync(header, 'utf8').split('\n').flatMap((line, at) => {
      const symbol = line.match(/-> ([\w:~=]+)/)?.[1];
      return symbol ? [`${header}:${at + 1}: ${symbol} has no documentation`] : [];
    });
    assert.ok(expected.length >= 5);
    assert.deepEqual(said.slice(0, -1).sort(), expected.sort());
    assert.match(said.at(-1), new RegExp(`^${expected.length} `));
    assert.ok(!existsSync(page), 'nothing is written then');
  });

  test(`${name}: a page is written, compared, and refused when it is old or not there`, () => {
    const include = documented(name);
    const page = join(folder, `${name}.md`);
    assert.match(generate(language, include, page, '--check'), /is not what the headers say/);
    assert.equal(generate(language, include, page), '');
    assert.equal(generate(language, include, page, '--check'), '');
    const first = readFileSync(page, 'utf8');
    generate(language, include, page);
    assert.equal(readFileSync(page, 'utf8'), first, 'it is the same every time');
    writeFileSync(page, first.replace('two', 'three'));
    assert.match(generate(language, include, page, '--check'), /is not what the headers say/);
  });
}

test('a page shows signatures, words and members as the header has them', () => {
  const page = join(folder, 'shown.md');
  generate('cpp', documented('thing.hpp'), page);
  const text = readFileSync(page, 'utf8');
  for (const part of [
    '```cpp\ninline int add(int a, int b);\n```\n\nAdds; `a|b` and \\*stars\\* are shown as they stand: [errors.md](errors.md).\n',
    '#### Thing::Thing\n\n```cpp\nexplicit Thing(std::string name);\n```\n\nBegins, over\n\ntwo paragraphs.\n',
    '#### A section: [errors.md](errors.md)\n\n##### Thing::set\n\n```cpp\nvoid set(int a,\n         int b = 2);\n```\n\nThe first of two with one name,\nwhich takes two lines.\n\n```cpp\nvoid set(const',
    '| `int told = 0` | a number, which goes on in the next line |\n',
    '| `kWell = 1` | as wished |\n',
    '#define FIXTURE_TOLD(x) (x)\n```\n\nA macro with two lines\nof words.\n',
  ]) assert.ok(text.includes(part), `${part}\n---- is not in ----\n${text}`);
  assert.ok(!/hidden|unseen_|Secret/.test(text), 'what is private is not shown');
  generate('c', documented('thing.h'), page);
  const c = readFileSync(page, 'utf8');
  for (const part of [
    'typedef struct thing thing;\n```\n\nNobody sees into it.\n',
    'typedef struct thing_options { … } thing_options;\n```\n\nWhat it is made of,\nin two lines.\n\n| member | |\n|---|---|\n| `int told` | a number |\n',
    'int thing_make(const thing_options* options,\n               void (*made)(thing* it, void* data), thing** out);\n',
  ]) assert.ok(c.includes(part), `${part}\n---- is not in ----\n${c}`);
});

test('a header that does not begin with a comment is named, and one that does not compile', () => {
  const include = join(folder, 'odd');
  cpSync(documented('thing.h'), include, { recursive: true });
  writeFileSync(join(include, 'fixture/thing.h'), 'void plain(void);\n');
  const said = generate('c', include, join(folder, 'odd.md'));
  assert.match(said, /thing\.h:1: the header does not begin with a comment/);
  assert.match(said, /thing\.h:1: plain has no documentation/);
  writeFileSync(join(include, 'fixture/thing.h'), '/* It breaks. */\nvoid broken(;\n');
  assert.match(generate('c', include, join(folder, 'odd.md')), /error: /);
});

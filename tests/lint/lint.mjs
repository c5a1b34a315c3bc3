// House rules as a test: the arrows between rooms, what the device half may not use, file lengths.
// Run: node tests/lint/lint.mjs. Prints every breach as file:line, exits with 1 if there is one.
import { readdirSync, readFileSync, statSync, existsSync } from 'node:fs';
import { join, relative, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

// room -> the rooms that it may include; ARCHITECTURE.md draws it. A longer path wins over its prefix.
const arrows = {
  'base': [],
  'model': ['base'],
  'model/yaml': ['base', 'model', 'rules'],
  'merge': ['base', 'model'],
  'rules': ['base', 'model'],
  'wire': ['base', 'model'],
  'wire/json': ['base', 'model', 'wire'],
  'sqlite': ['base'],
  'coding': ['base'],
  'store': ['base', 'model', 'merge', 'rules', 'wire', 'sqlite'],
  'engine': ['base', 'model', 'wire'],
  'host': ['base', 'model', 'wire', 'store', 'engine'],
  'host/native': ['base', 'coding', 'wire', 'engine'],
  'host/loopback': ['base', 'model', 'wire', 'store', 'engine', 'host'],
  'api': ['base', 'model', 'wire', 'sqlite', 'store', 'engine', 'host', 'host/native'],
  'capi': ['base', 'model', 'api'],
  'server/http': ['base', 'coding', 'model', 'wire', 'wire/json', 'server/access', 'server/intake', 'server/outflow', 'server/scopes', 'server/storage', 'server/tally', 'server/transit'],
  'server/listener': ['base', 'wire', 'server/http'],
  'server/tally': [],
  'server/transit': ['base', 'wire', 'sqlite'],
  'server/storage': ['base', 'model', 'wire'],
  'server/storage/sqlite': ['base', 'model', 'rules', 'wire', 'sqlite', 'server/storage'],
  'server/access': ['base', 'model', 'wire', 'server/storage'],
  'server/scopes': ['base', 'model', 'rules', 'wire', 'server/storage', 'server/access'],
  'server/intake': ['base', 'model', 'merge', 'rules', 'wire', 'server/storage', 'server/tally', 'server/transit', 'server/access', 'server/scopes'],
  'server/outflow': ['base', 'model', 'wire', 'server/storage', 'server/tally', 'server/transit', 'server/access', 'server/scopes', 'server/http'],
  'server/ops': ['base', 'wire', 'server/storage', 'server/tally', 'server/access', 'server/scopes', 'server/http'],
  'server/app': ['base', 'model', 'wire', 'sqlite', 'server/storage', 'server/storage/sqlite', 'server/access', 'server/scopes', 'server/intake', 'server/outflow', 'server/http', 'server/tally', 'server/transit', 'server/ops'],
  'cli': ['base', 'model', 'model/yaml', 'rules', 'server/app', 'server/http', 'server/listener', 'server/ops'],
};
const rooms = Object.keys(arrows).sort((a, b) => b.length - a.length);
const roomOf = (path) => rooms.find((room) => path === room || path.startsWith(room + '/'));

// Built for WebAssembly too: no threads, no exceptions, nothing that brings 900 KB with it.
const deviceHalf = new Set(['base', 'model', 'merge', 'rules', 'wire', 'sqlite', 'store', 'engine']);
const forbiddenInDevice = [/^#include <(iostream|sstream|fstream|format|thread|mutex|future|filesystem|regex|locale)>/, /\bthrow\b/, /\btry\s*\{/, /\bdynamic_cast\b/];

const linesMax = 800;
const breaches = [];
const breach = (file, line, text) => breaches.push(`${relative(root, file)}:${line}: ${text}`);

function* files(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else if (/\.(cpp|hpp|h|c)$/.test(name)) yield path;
  }
}

const strip = (line) => line.replace(/"(\\.|[^"\\])*"/g, '""').replace(/\/\/.*$/, '');

let checked = 0;
for (const file of files(join(root, 'src'))) {
  checked++;
  const path = relative(join(root, 'src'), file);
  const room = roomOf(path);
  const isTest = /(_test|testing|test_kit)\.(cpp|hpp)$/.test(path);
  const lines = readFileSync(file, 'utf8').split('\n');
  if (!room) breach(file, 1, 'belongs to no room of the list in tests/lint/lint.mjs');
  if (lines.length > linesMax) breach(file, lines.length, `has more than ${linesMax} lines: split it by rooms`);
  lines.forEach((line, at) => {
    const include = line.match(/^#include "([^"]+)"/);
    if (include && room && !isTest) {
      const target = roomOf(include[1]);
      if (target && target !== room && !arrows[room].includes(target)) breach(file, at + 1, `${room} may not include ${target}`);
    }
    if (deviceHalf.has(room) && !isTest) {
      const code = line.startsWith('#include') ? line : strip(line);
      for (const pattern of forbiddenInDevice) if (pattern.test(code)) breach(file, at + 1, `the device half may not use ${code.trim()}`);
    }
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) breach(file, at + 1, 'unfinished work is an issue, not a comment');
    if (/\b(std::time|::time\(|random_device|CURRENT_TIMESTAMP|\brand\()/.test(strip(line))) breach(file, at + 1, 'time and randomness come in through Clock and Random');
  });
}

// Public headers stand alone; the oracle is written from the specification, never from the engine's code.
for (const file of files(join(root, 'include'))) {
  checked++;
  readFileSync(file, 'utf8').split('\n').forEach((line, at) => {
    if (/^#include "/.test(line)) breach(file, at + 1, 'a public header includes public headers only, as <skerry/…>');
  });
}
const oracle = join(root, 'tests', 'kit', 'oracle');
if (existsSync(oracle)) {
  for (const file of files(oracle)) {
    checked++;
    readFileSync(file, 'utf8').split('\n').forEach((line, at) => {
      const include = line.match(/^#include "([^"]+)"/);
      if (include && !/^(base|model)\//.test(include[1]) && !/oracle/.test(include[1])) breach(file, at + 1, 'the oracle includes base and model only');
    });
  }
}

if (breaches.length > 0) {
  console.error(breaches.join('\n'));
  console.error(`${breaches.length} breaches of the house rules`);
  process.exit(1);
}
console.log(`${checked} files keep the house rules`);

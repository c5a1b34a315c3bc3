// Writes the page that says what can be called, from the public headers, or checks that it is up to date. A public symbol
// without documentation is an error either way:
//   node tools/gen_api.mjs cpp|c INCLUDE FILE [--check]
// INCLUDE is the folder whose subfolders hold the headers: *.hpp for cpp, *.h for c.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readHeaders } from './api_headers.mjs';

const pages = {
  cpp: {
    ending: '.hpp',
    title: 'The C++ interface',
    intro: `What a C++ program can call, header by header. Everything is in the namespace \`skerry\`; nothing throws, and every call that
can fail gives a \`Result\`. The way in is [embedding.md](embedding.md), the codes of errors are in [errors.md](errors.md); from C
the same is called as [api-c.md](api-c.md) says.`,
    fence: 'cpp',
  },
  c: {
    ending: '.h',
    title: 'The C interface',
    intro: `What a C program can call, and whatever can call C. The same calls are told at more length for C++ in [api-cpp.md](api-cpp.md);
the way in is [embedding.md](embedding.md), the codes of errors are in [errors.md](errors.md).`,
    fence: 'c',
  },
};

const [language, include, file, check] = process.argv.slice(2);
if (!pages[language] || !file || (check && check !== '--check')) {
  console.error('usage: node gen_api.mjs cpp|c INCLUDE FILE [--check]');
  process.exit(2);
}
const { ending, title, intro, fence } = pages[language];

// The header with the device is what a reader came for.
const names = readdirSync(include, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  .flatMap((folder) => readdirSync(join(include, folder.name)).filter((name) => name.endsWith(ending)).map((name) => `${folder.name}/${name}`))
  .sort((a, b) => Number(b.endsWith('/device.hpp')) - Number(a.endsWith('/device.hpp')) || (a < b ? -1 : 1));

const isCode = (part) => part.startsWith('`');
// Words of a comment as Markdown: what is not code is shown as it stands, and pages and examples are linked.
const prose = (text) => text.split(/(`[^`\n]+`)/).map((part) => (isCode(part) ? part : part.replace(/[\\*<]/g, '\\$&')
  .replace(/\bdocs\/([\w-]+\.md)/g, '[$1]($1)').replace(/\bexamples\/[\w.-]+\w/g, '[$&](../$&)'))).join('');
const cell = (text) => prose(text).replace(/\n+/g, ' ').replace(/\|/g, '\\|');
const code = (text) => `\`${text.replace(/\s*\n\s*/g, ' ').replace(/\|/g, '\\|')}\``;
const anchor = (heading) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-');
const block = (signatures) => `\`\`\`${fence}\n${signatures.join('\n')}\n\`\`\`\n`;
const heading = (depth, text) => `\n${'#'.repeat(depth)} ${text}\n\n`;

const table = (members, what) => `\n| ${what} | |\n|---|---|\n${members.map((one) => `| ${code(one.signature)} | ${cell(one.doc)} |\n`).join('')}`;
const closed = (signature) => (/[;}]$/.test(signature) || signature.startsWith('#') ? signature : `${signature};`);

// Members in the order of the header; what follows a section stands one level below it.
function render(members, depth) {
  let out = '';
  let below = depth;
  members.forEach((one, at) => {
    if (one.kind === 'field' || one.kind === 'enumerator') return;
    if (one.kind === 'section') {
      out += heading(depth, prose(one.text[0].toUpperCase() + one.text.slice(1))).trimEnd() + '\n';
      below = depth + 1;
      return;
    }
    // Functions of one name stand under one heading.
    if (members[at - 1]?.qualified !== one.qualified) out += heading(below, one.qualified);
    else out += '\n';
    out += `${block([closed(one.signature)])}\n${prose(one.doc)}\n`;
    const fields = one.members.filter((member) => member.kind === 'field');
    const enumerators = one.members.filter((member) => member.kind === 'enumerator');
    if (fields.length > 0) out += table(fields, 'member');
    if (enumerators.length > 0) out += table(enumerators, 'value');
    out += render(one.members, below + 1);
  });
  return out;
}

// Every name once, with its place on the page; lines of about 150 characters.
function contents(header) {
  const lines = [`- [${header.name}](#${anchor(header.name)}):`];
  const names = [...new Set(header.members.filter((one) => one.kind !== 'section').map((one) => one.qualified))];
  names.forEach((name, at) => {
    const link = `[${name}](#${anchor(name)})${at < names.length - 1 ? ',' : ''}`;
    if (lines.at(-1).length + link.length > 150) lines.push(` ${link}`);
    else lines[lines.length - 1] += ` ${link}`;
  });
  return `${lines.join('\n ')}\n`;
}

function page(headers) {
  let out = `# ${title}\n\n${intro}\n\n`;
  for (const header of headers) out += contents(header);
  for (const header of headers) out += `${heading(2, header.name)}${prose(header.doc)}\n${render(header.members, 3)}`;
  return `${out}\nThis page is generated from the headers; \`cmake --build build/release --target docs\` writes it anew.\n`;
}

let read;
try {
  read = readHeaders(resolve(include), language, names);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
if (read.faults.length > 0) {
  console.error(read.faults.join('\n'));
  console.error(`${read.faults.length} public symbols have no documentation, or cannot be shown; a comment of them begins with /// or /**`);
  process.exit(1);
}
const text = page(read.headers);
if (check) {
  let there = '';
  try {
    there = readFileSync(file, 'utf8');
  } catch { /* a page that is not there is not up to date either */ }
  if (there === text) process.exit(0);
  console.error(`${file} is not what the headers say; run: cmake --build build/release --target docs`);
  process.exit(1);
}
writeFileSync(file, text);

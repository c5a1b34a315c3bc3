// Reads public headers with clang: which symbols they declare, each with its documentation, and which have none.
// What clang parses is documentation: `///` or `/** */` before a declaration, `///<` or `/**< */` behind a field or an
// enumerator. Plain comments are remarks. `// ---- text ----` begins a section, and the comment that a header opens with is its own
// documentation. Texts and signatures are cut from the header as they stand: clang only says where.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const languages = {
  cpp: { compiler: 'clang++-19', flags: ['-x', 'c++', '-std=c++20'], prefix: ['-x', 'c++-header', '-std=c++20'] },
  c: { compiler: 'clang-19', flags: ['-x', 'c', '-std=c11'] },
};

// clang's nodes that declare something to be documented; `inner` ones are looked into.
const kinds = {
  CXXRecordDecl: 'type', RecordDecl: 'type', EnumDecl: 'enum', EnumConstantDecl: 'enumerator', FieldDecl: 'field',
  FunctionDecl: 'function', CXXMethodDecl: 'function', CXXConstructorDecl: 'function', CXXDestructorDecl: 'function',
  CXXConversionDecl: 'function', VarDecl: 'constant', TypedefDecl: 'alias', TypeAliasDecl: 'alias', ConceptDecl: 'alias',
  UsingDecl: 'alias', NamespaceAliasDecl: 'alias',
};
const templates = new Set(['ClassTemplateDecl', 'FunctionTemplateDecl', 'TypeAliasTemplateDecl', 'VarTemplateDecl']);
const silent = new Set(['StaticAssertDecl', 'EmptyDecl', 'UsingDirectiveDecl', 'UsingShadowDecl', 'CXXDeductionGuideDecl',
  'ClassTemplateSpecializationDecl', 'ClassTemplatePartialSpecializationDecl', 'VarTemplateSpecializationDecl']);

function run(compiler, args) {
  try {
    return execFileSync(compiler, args, { encoding: 'utf8', maxBuffer: 1 << 29, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`${compiler} is missing (tools/packages.txt, group test)`);
    throw new Error(error.stderr || error.message);
  }
}

// What the headers include of others goes into a precompiled header, of which clang then dumps nothing: 2 MB instead of 450.
function dump(include, language, headers, sources) {
  const { compiler, flags, prefix } = languages[language];
  const folder = mkdtempSync(join(tmpdir(), 'skerry-api-'));
  try {
    const all = join(folder, 'all');
    writeFileSync(all, headers.map((header) => `#include <${header}>\n`).join(''));
    const args = [...flags, '-I', include];
    if (prefix) {
      const own = new Set(headers);
      const others = new Set(headers.flatMap((header) => [...sources.get(header).matchAll(/^#include <(.+)>/gm)].map((m) => m[1])));
      const list = join(folder, 'others.hpp');
      writeFileSync(list, [...others].filter((name) => !own.has(name)).map((name) => `#include <${name}>\n`).join(''));
      run(compiler, [...prefix, list, '-o', `${list}.pch`]);
      args.push('-include-pch', `${list}.pch`);
    }
    return JSON.parse(run(compiler, [...args, '-fsyntax-only', '-Xclang', '-ast-dump=json', all]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// clang names a file only where it is another than the one before: said once for each place, in the order of printing.
function nameFiles(node, last = { file: '' }) {
  if (node === null || typeof node !== 'object') return;
  if (!Array.isArray(node) && node.offset !== undefined) {
    if (node.file === undefined) node.file = last.file;
    last.file = node.file;
  }
  for (const child of Object.values(node)) nameFiles(child, last);
}

const place = (point) => point?.expansionLoc ?? point ?? {};
const lineOf = (text, at) => text.slice(0, at).split('\n').length;

// A comment's words, without what marks it. `at` lies in it.
function words(text, at) {
  const lineStart = text.lastIndexOf('\n', at) + 1;
  const block = text.lastIndexOf('/*', at);
  const mark = text.slice(lineStart).match(/\/\/+<?/);
  if (block >= 0 && text.indexOf('*/', block) >= at) {
    const open = text.slice(block).match(/^\/\*+<? ?/)[0];
    const column = block - (text.lastIndexOf('\n', block) + 1) + open.length;
    return text.slice(block + open.length, text.indexOf('*/', block)).split('\n')
      .map((line, i) => (i === 0 ? line : line.slice(Math.min(column, line.search(/\S|$/))).replace(/^\* ?/, ''))).join('\n').trim();
  }
  const lines = text.slice(lineStart).split('\n');
  const said = [lines[0].slice(lines[0].indexOf(mark[0]) + mark[0].length)];
  for (const line of lines.slice(1)) {
    const more = line.match(/^\s*(\/\/+<?)(.*)$/);
    if (!more || more[1] !== mark[0]) break;
    said.push(more[2]);
  }
  return said.map((line) => line.replace(/^ /, '')).join('\n').trim();
}

// clang counts bytes; what is cut here is cut from the header's bytes.
class Header {
  constructor(include, name) {
    this.name = name;
    this.path = join(include, name);
    this.bytes = readFileSync(this.path);
    this.text = this.bytes.toString();
    this.members = [];
    const opening = this.text.match(/^\s*(?:\/\/|\/\*)/);
    this.doc = opening ? words(this.text, opening[0].length - 1) : '';
  }
  at(offset) { return this.bytes.subarray(0, offset).toString().length; }
}

class Reader {
  constructor(include, language) {
    this.include = include;
    this.language = language;
    this.faults = [];
    this.headers = new Map();
  }

  fault(header, line, text) { this.faults.push(`${header.path}:${line}: ${text}`); }

  read(names) {
    for (const name of names) this.headers.set(name, new Header(this.include, name));
    const sources = new Map([...this.headers.values()].map((header) => [header.name, header.text]));
    const tree = dump(this.include, this.language, names, sources);
    nameFiles(tree);
    this.byPath = new Map([...this.headers.values()].map((header) => [header.path, header]));
    this.scope(tree.inner ?? [], null, '');
    for (const header of this.headers.values()) {
      if (!header.doc) this.fault(header, 1, 'the header does not begin with a comment that says what it is for');
      this.macros(header);
      this.sections(header);
      this.ask(header, header.members);
    }
    return { headers: [...this.headers.values()], faults: this.faults };
  }

  // `parent`: the type whose members these are.
  scope(nodes, parent, prefix) {
    let access = parent?.startsPrivate ? 'private' : 'public';
    for (const node of nodes) {
      if (node.kind === 'AccessSpecDecl') access = node.access;
      if (!node.kind?.endsWith('Decl') || node.isImplicit || access === 'private' || node.kind === 'AccessSpecDecl') continue;
      const header = this.byPath.get(place(node.range?.begin).file);
      if (!header) continue;
      if (node.kind === 'NamespaceDecl') this.scope(node.inner ?? [], null, prefix);
      else if (node.kind === 'LinkageSpecDecl') this.scope(node.inner ?? [], parent, prefix);
      else this.symbol(header, node, parent, prefix);
    }
  }

  symbol(header, node, parent, prefix) {
    let inner = node;
    while (templates.has(inner.kind) || inner.kind === 'FriendDecl') {
      const of = (inner.inner ?? []).find((child) => kinds[child.kind] || templates.has(child.kind));
      if (!of) return;  // a friend type
      inner = of;
    }
    if (silent.has(inner.kind)) return;
    const kind = kinds[inner.kind];
    const begin = header.at(place(node.range.begin).offset);
    const last = place(node.range.end);
    const end = header.at(last.offset + last.tokLen);
    const line = lineOf(header.text, begin);
    if (!kind) return this.fault(header, line, `tools/api_headers.mjs does not know what a ${inner.kind} is`);
    const name = inner.name ?? '(unnamed)';
    const comment = [...(inner.inner ?? []), ...(node.inner ?? [])].find((child) => child.kind === 'FullComment');
    const symbol = {
      kind, name, qualified: prefix + name, begin, end, line, members: [],
      doc: comment ? words(header.text, header.at(place(comment.range.begin).offset)) : '',
    };
    const siblings = (parent ?? header).members;
    const same = siblings.find((one) => one.qualified === symbol.qualified && one.kind !== 'function');
    if (kind === 'type' && !inner.completeDefinition) {
      symbol.forward = true;
      // `typedef struct x x;` and a type that is defined elsewhere are told where they are whole.
      const tail = header.text.slice(0, begin);
      if (/typedef\s+$/.test(tail) || same) return;
    }
    if (kind === 'alias' && same && same.begin >= begin && same.end <= end) {
      // `typedef struct x { … } x;`
      same.doc ||= symbol.doc;
      const whole = header.text.slice(begin, end);
      same.signature = `${whole.slice(0, whole.indexOf('{'))}{ … }${whole.slice(whole.lastIndexOf('}') + 1)}`;
      return;
    }
    if (same?.forward) siblings.splice(siblings.indexOf(same), 1);
    symbol.signature = this.signature(header, symbol, inner);
    siblings.push(symbol);
    if (kind === 'type') {
      symbol.startsPrivate = inner.tagUsed === 'class';
      this.scope(inner.inner ?? [], symbol, `${symbol.qualified}::`);
    }
    if (kind === 'enum') {
      for (const one of (inner.inner ?? []).filter((child) => child.kind === 'EnumConstantDecl')) this.symbol(header, one, symbol, inner.scopedEnumTag ? `${symbol.qualified}::` : prefix);
    }
  }

  // As declared, without bodies, moved to the left.
  signature(header, symbol, node) {
    const column = symbol.begin - (header.text.lastIndexOf('\n', symbol.begin) + 1);
    const body = (node.inner ?? []).find((child) => child.kind === 'CompoundStmt');
    let text = header.text.slice(symbol.begin, body ? header.at(place(body.range.begin).offset) : symbol.end);
    if ((symbol.kind === 'type' || symbol.kind === 'enum') && text.includes('{')) text = `${text.slice(0, text.indexOf('{')).trimEnd()} { … }`;
    return text.trimEnd().split('\n').map((line, at) => (at === 0 ? line : line.slice(Math.min(column, line.search(/\S|$/))))).join('\n');
  }

  // clang's tree has no macros.
  macros(header) {
    const guard = header.text.match(/^#ifndef (\w+)\n#define \1$/m)?.[1];
    for (const match of header.text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?(?:\\\n|[^\n])*/gm)) {
      if (match[1] === guard) continue;
      const before = header.text.slice(0, match.index).trimEnd();
      const touches = !/\n\s*\n/.test(header.text.slice(before.length, match.index));
      const block = before.endsWith('*/') && before.slice(before.lastIndexOf('/*')).startsWith('/**');
      const from = /(?:^[ \t]*\/\/\/(?!<).*\n?)+$/m.exec(before);
      const at = block ? before.length - 2 : from ? from.index + from[0].indexOf('/') + 2 : -1;
      header.members.push({
        kind: 'macro', name: match[1], qualified: match[1], begin: match.index, end: match.index + match[0].length, members: [],
        line: lineOf(header.text, match.index), signature: match[0].trim(), doc: touches && at >= 0 ? words(header.text, at) : '',
      });
    }
  }

  // `// ---- text ----` stands where it is found: among the members of a type, or of the header.
  sections(header) {
    for (const match of header.text.matchAll(/^[ \t]*(?:\/\/|\/\*) ---- (.+) ----(?: \*\/)?$/gm)) {
      const within = header.members.find((one) => one.kind === 'type' && one.begin < match.index && match.index < one.end);
      (within ?? header).members.push({ kind: 'section', text: match[1], begin: match.index, members: [] });
    }
    for (const one of [header, ...header.members]) one.members.sort((a, b) => a.begin - b.begin);
  }

  ask(header, members) {
    for (const one of members) {
      if (one.kind !== 'section' && !one.doc) this.fault(header, one.line, `${one.qualified} has no documentation`);
      this.ask(header, one.members);
    }
  }
}

// language: 'cpp' or 'c'. Names of headers as they are included, relative to `include`.
export function readHeaders(include, language, names) { return new Reader(include, language).read(names); }

// What the end-to-end tests share: a folder that is removed, the program, a server, devices, the sqlite3 shell.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { line_of, start_program } from '../../tools/program.mjs';

export const bin = resolve(process.env.SKERRY_BIN ?? 'build/release/bin');
export const skerry_path = join(bin, 'skerry');

export const notes_model = `app: notes
version: 1
access: open
entities:
  note:
    attributes: { id: uuid, body: text, stars: int }
  word:
    key: word
    attributes: { word: text, meaning: text }
`;

// Runs a program to its end: { code, out, err }.
export function exec(program, args, options = {}) {
  return new Promise((done) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20, ...options }, (error, out, err) => {
      done({ code: error ? error.code ?? error.signal : 0, out, err });
    });
    if (options.input !== undefined) child.stdin.end(options.input);
  });
}

// One test's folder, in which everything happens; cleaned up when the test ends.
export class World {
  constructor(t) {
    this.dir = mkdtempSync(join(tmpdir(), 'skerry-e2e-'));
    this.children = [];
    this.port = 0;  // of the last server, so that it can come back where the devices look for it
    t.after(async () => {
      for (const child of this.children) await this.#end(child, 'SIGKILL');
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  path(name) {
    return join(this.dir, name);
  }

  write(name, content) {
    writeFileSync(this.path(name), content);
    return name;
  }

  run(args, options = {}) {
    const env = { ...process.env, SKERRY_TOKEN: '', ...options.env };
    return exec(skerry_path, args, { cwd: this.dir, ...options, env });
  }

  // Standard output of a command that succeeds.
  async skerry(...args) {
    const { code, out, err } = await this.run(args);
    assert.equal(code, 0, `skerry ${args.join(' ')}\n${out}${err}`);
    return out;
  }

  // Standard error of a command that fails with exit code 1 and this error code.
  async fails(error_code, ...args) {
    const { code, out, err } = await this.run(args);
    assert.equal(code, 1, `skerry ${args.join(' ')}\n${out}${err}`);
    assert.match(err, new RegExp(`^skerry: ${error_code}: `, 'm'));
    assert.match(err, /what to do: /);
    assert.doesNotMatch(err, /terminate called|\.cpp:\d+|0x[0-9a-f]{6}/);
    return err;
  }

  // Rows of a query by the plain shell.
  async sqlite(file, sql) {
    const { code, out, err } = await exec('sqlite3', ['-cmd', '.timeout 10000', '-json', this.path(file), sql]);
    assert.equal(code, 0, `sqlite3 ${file} ${sql}\n${err}`);
    return out === '' ? [] : JSON.parse(out);
  }

  async init(model = notes_model) {
    await this.skerry('init', 'server', '--model', this.write('model.yaml', model));
  }

  // A program that runs on; `ready` matches the first line that says that it is. `wrap`: a program that runs it.
  start(args, ready, { wrap = [], env = {} } = {}) {
    const [program, ...rest] = [...wrap, skerry_path, ...args];
    const child = start_program(program, rest, { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.children.push(child);
    return ready ? this.line(child, ready).then(() => child) : child;
  }

  // The first line of a running program that matches, from line `from` on.
  line(child, pattern, from = 0) {
    return line_of(child, pattern, from);
  }

  async serve(args = [], options = {}) {
    this.server = await this.start(['serve', 'server', '--port', String(this.port), ...args], /^serving /, options);
    this.url = /http:\S+/.exec(this.server.lines[0])[0];
    this.port = Number(new URL(this.url).port);
  }

  async stop_server() {
    const code = await this.#end(this.server, 'SIGTERM');
    assert.equal(code, 0, this.server.errors);
  }

  // A device NAME.db of the user of that name, not synced yet.
  async device(name) {
    await this.skerry('token', 'server', '--user', name, '--out', `${name}.token`);
    await this.skerry('device', 'open', `${name}.db`, '--server', this.url, '--token-file', `${name}.token`);
    return `${name}.db`;
  }

  async sync(...stores) {
    for (const store of stores) await this.skerry('sync', store);
  }

  async sql(place, statement) {
    return JSON.parse(await this.skerry('sql', place, statement, '--json'));
  }

  #end(child, signal) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return child.ended;
  }
}

// The same rows in all files, read by the plain shell; gives them.
export async function assert_same(world, files, query) {
  const [first, ...others] = await Promise.all(files.map((file) => world.sqlite(file, query)));
  for (const rows of others) assert.deepEqual(rows, first);
  return first;
}

// Bytes of memory that a process has. A sanitizer keeps notes on each byte, and what was freed: one eighth of that is counted.
export function memory_of(pid) {
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return process.env.SKERRY_SANITIZED ? kib * 128 : kib * 1024;
}

export const uuid = (n) => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;

// What the measurements share: folders, the data, servers in processes of their own, medians, figures.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { line_of, start_program } from '../tools/program.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const build = resolve(process.env.SKERRY_BUILD ?? join(root, 'build/release'));
export const skerry_path = join(build, 'bin/skerry');
export const program = (name) => join(build, 'bench/programs', name);
const cache = join(root, 'build/bench');

// The entity of all measurements: the columns of data.mjs.
export const thing = `  thing:
    attributes: { id: uuid, name: text, country: text, people: int, place: text, note: text }
`;
export const whole_model = `app: bench
version: 1
access: open
entities:
${thing}`;

// Each device has the things of one area, which the country names: `--claim area=…`.
export const areas_model = `app: bench
version: 1
access: open
entities:
${thing}principal:
  area: claim
profiles:
  field: { thing: country = :area }
`;

export function exec(file, args, options = {}) {
  return new Promise((done, failed) => {
    const child = execFile(file, args, { maxBuffer: 64 << 20, ...options }, (error, out, err) => {
      if (error) failed(new Error(`${file} ${args.join(' ')}: ${error.message}\n${out}${err}`));
      else done(out);
    });
    if (options.input !== undefined) child.stdin.end(options.input);
  });
}

// A measuring program's answer: the JSON that is its last line.
export async function measure(name, ...args) {
  const out = await exec(program(name), args.map(String));
  return JSON.parse(out.trimEnd().split('\n').at(-1));
}

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export function quantile(list, q) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];
}

// The rows of data.mjs as a file; made once.
export async function data(rows) {
  const generator = join(root, 'bench/data.mjs');
  const version = createHash('sha256').update(readFileSync(generator)).digest('hex').slice(0, 8);
  const file = join(cache, `${rows}-${version}.tsv`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    await exec(process.execPath, [generator, file, '--rows', String(rows)]);
  }
  return file;
}

// The same rows as a file in the world's folder, the i-th of them in the area `area_of(i)`.
export async function data_in_areas(world, rows, area_of) {
  const [head, ...lines] = readFileSync(await data(rows), 'utf8').trimEnd().split('\n');
  const parted = lines.map((line, i) => {
    const cells = line.split('\t');
    cells[2] = area_of(i);
    return cells.join('\t');
  });
  writeFileSync(world.path('rows.tsv'), [head, ...parted, ''].join('\n'));
  return world.path('rows.tsv');
}

// A figure of the table. `limit`: what the value may be at most, or at least where `least` is true. No limit: it is only told.
export function figure(name, value, unit, { limit, least = false, how = '' } = {}) {
  const met = limit === undefined ? undefined : least ? value >= limit : value <= limit;
  return { name, value, unit, ...(limit === undefined ? {} : { limit, least, met }), how };
}

export function process_memory(pid) {
  const number = (text, what) => Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN);
  return {
    peak_kib: number(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM'),
    pss_kib: number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'), 'Pss'),
  };
}

// A folder with a server and devices. Everything ends and goes with close().
export class World {
  constructor() {
    this.dir = mkdtempSync(join(process.env.TMPDIR ?? '/tmp', 'skerry-bench-'));
    this.children = new Set();
    this.port = 0;
  }

  path(name) {
    return join(this.dir, name);
  }

  skerry(...args) {
    return exec(skerry_path, args.map(String), { cwd: this.dir });
  }

  // A server's folder `server` of this model, with the rows of `tsv` as things.
  async init(model = whole_model, tsv) {
    writeFileSync(this.path('model.yaml'), model);
    await this.skerry('init', 'server', '--model', 'model.yaml');
    if (tsv) await this.skerry('import', 'server', 'thing', tsv, '--format', 'csv', '--delimiter', '\t');
  }

  start(file, args, { ready, env = {}, stdin = 'ignore' } = {}) {
    const child = start_program(file, args.map(String), { cwd: this.dir, stdio: [stdin, 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.children.add(child);
    child.ended.then(() => this.children.delete(child));
    return ready ? this.line(child, ready).then(() => child) : child;
  }

  // The first line that matches, from line `from` on.
  line(child, pattern, from = 0) {
    return line_of(child, pattern, from);
  }

  async serve(...args) {
    this.server = await this.start(skerry_path, ['serve', 'server', '--port', this.port, '--log-level', 'error', ...args], { ready: /^serving / });
    this.url = /http:\S+/.exec(this.server.lines[0])[0];
    this.port = Number(new URL(this.url).port);
  }

  async stop_server() {
    this.server.kill('SIGTERM');
    await this.server.ended;
  }

  // As if nothing of it had been read lately: a new process, and nothing of its files in the system's cache.
  async restart_cold(...args) {
    await this.stop_server();
    await this.forget('server');
    await this.serve(...args);
  }

  async forget(folder) {
    await exec('find', [this.path(folder), '-type', 'f', '-exec', 'dd', 'if={}', 'iflag=nocache', 'count=0', 'status=none', ';']);
  }

  // The token of `user`, as text.
  async token(user) {
    await this.skerry('token', 'server', '--user', user, '--out', `${user}.token`);
    return readFileSync(this.path(`${user}.token`), 'utf8').trim();
  }

  size(name) {
    return statSync(this.path(name)).size;
  }

  remove(...names) {
    for (const name of names) for (const suffix of ['', '-wal', '-shm', '-sync']) rmSync(this.path(name + suffix), { force: true, recursive: true });
  }

  async close() {
    for (const child of [...this.children]) {
      child.kill('SIGKILL');
      await child.ended;
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

// What is still on its way to the disk from before would be paid by what is measured next.
export async function settle(world) {
  const file = openSync(world.path('settle'), 'w');
  fsyncSync(file);
  closeSync(file);
  await exec('sync', []);
}

// Runs a WebAssembly program (WASI preview 1, command or reactor) in Node and passes its exit code on:
//   node tools/run-wasm.mjs program.wasm [arguments]
//
// The host is a small one of our own, the same under every Node version: standard output and error, clocks,
// randomness, arguments, environment, exit. There are no files: every path call answers "not found", any other
// call "not supported", so that a test program cannot depend on the machine it runs on.
import { readFileSync, writeSync } from 'node:fs';
import { randomFillSync } from 'node:crypto';

const [path, ...args] = process.argv.slice(2);
if (!path) {
  console.error('usage: node tools/run-wasm.mjs program.wasm [arguments]');
  process.exit(2);
}

const kOk = 0, kBadf = 8, kInval = 28, kNoent = 44, kNosys = 52, kSpipe = 70;
const argv = [path, ...args];
// Only what test programs read: the machine's environment stays outside.
const environ = Object.entries(process.env)
  .filter(([name]) => /^(SKERRY_|GTEST_|RC_PARAMS$|TEST_)/.test(name))
  .map(([name, value]) => `${name}=${value}`);

class Exit extends Error {
  constructor(code) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let memory;
const view = () => new DataView(memory.buffer);
const bytes = (at, length) => new Uint8Array(memory.buffer, at, length);

function write_all(fd, data) {
  for (let at = 0; at < data.length;) {
    try {
      at += writeSync(fd, data, at, data.length - at);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;  // a full pipe: its reader is slower than we are
    }
  }
}

function put_strings(list, pointers, buffer) {
  for (const text of list) {
    const encoded = Buffer.from(`${text}\0`);
    view().setUint32(pointers, buffer, true);
    bytes(buffer, encoded.length).set(encoded);
    pointers += 4;
    buffer += encoded.length;
  }
  return kOk;
}

function put_sizes(list, count, size) {
  view().setUint32(count, list.length, true);
  view().setUint32(size, list.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0), true);
  return kOk;
}

const wasi = {
  args_get: (pointers, buffer) => put_strings(argv, pointers, buffer),
  args_sizes_get: (count, size) => put_sizes(argv, count, size),
  environ_get: (pointers, buffer) => put_strings(environ, pointers, buffer),
  environ_sizes_get: (count, size) => put_sizes(environ, count, size),
  clock_res_get(id, out) {
    view().setBigUint64(out, 1000n, true);
    return kOk;
  },
  clock_time_get(id, precision, out) {
    const now = id === 0 ? BigInt(Date.now()) * 1_000_000n : process.hrtime.bigint();
    view().setBigUint64(out, now, true);
    return kOk;
  },
  random_get(at, length) {
    randomFillSync(bytes(at, length));
    return kOk;
  },
  sched_yield: () => kOk,
  proc_exit(code) {
    throw new Exit(code);
  },
  fd_write(fd, vectors, count, out) {
    if (fd !== 1 && fd !== 2) return kBadf;
    let written = 0;
    for (let i = 0; i < count; ++i) {
      const at = view().getUint32(vectors + 8 * i, true);
      const length = view().getUint32(vectors + 8 * i + 4, true);
      write_all(fd, bytes(at, length));
      written += length;
    }
    view().setUint32(out, written, true);
    return kOk;
  },
  fd_read(fd, vectors, count, out) {
    if (fd !== 0) return kBadf;
    view().setUint32(out, 0, true);  // standard input is empty
    return kOk;
  },
  fd_fdstat_get(fd, out) {
    if (fd > 2) return kBadf;
    bytes(out, 24).fill(0);
    view().setUint8(out, 2);  // a character device
    view().setBigUint64(out + 8, 0x40n | 0x2n, true);  // may write, may read
    return kOk;
  },
  fd_fdstat_set_flags: () => kOk,
  fd_prestat_get: () => kBadf,
  fd_prestat_dir_name: () => kInval,
  fd_close: () => kOk,
  fd_seek: () => kSpipe,
};

const module = new WebAssembly.Module(readFileSync(path));
const imports = {};
for (const { module: room, name } of WebAssembly.Module.imports(module)) {
  imports[room] ??= {};
  if (room === 'wasi_snapshot_preview1')
    imports[room][name] = wasi[name] ?? (name.startsWith('path_') ? () => kNoent : () => kNosys);
  else
    imports[room][name] = () => {
      throw new Error(`${path} called ${room}.${name}, which this host does not have`);
    };
}

let code = 0;
try {
  const { exports } = new WebAssembly.Instance(module, imports);
  memory = exports.memory;
  if (exports._start) exports._start();
  else exports._initialize?.();
} catch (error) {
  if (error instanceof Exit) code = error.code;
  else {
    console.error(`${path} stopped: ${error.stack}`);
    code = 134;  // as a native program ends after abort()
  }
}
process.exitCode = code;

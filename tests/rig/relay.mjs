// The line between a device and the server, one port a device: what a bad network does to bytes. A process of its own, so that it can live
// on a host of its own. Usage: node relay.mjs LISTEN_ADDRESS SERVER_ADDRESS SERVER_PORT COUNT; it prints its ports, then obeys lines of JSON on
// standard input, { line, mode, … }, and answers each with a line:
//
//   pass                     everything goes through at once
//   delay    ms              everything goes through, later
//   trickle  bytes           so many bytes each 50 ms, in each direction
//   silence  way             nothing goes through (`way`: up, down or both), and comes when it is over
//   tear     bytes           each connection breaks after so many more bytes, in the middle of whatever it carries
//   forget                   what is open now is dead for ever and nobody is told, as when a router forgets its connections; new ones work
//   refuse                   nothing is open and nobody is let in
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const tick_ms = 50;
const held_max = 1 << 20;  // of a direction; more is not read meanwhile

// One direction of a connection.
class Way {
  constructor(name, from, to, pair) {
    Object.assign(this, { name, from, to, pair, held: [], bytes: 0, ended: false });
    from.on('data', (data) => this.#take(data));
    from.on('end', () => {
      this.ended = true;
      this.flow();
    });
  }

  #take(data) {
    if (this.pair.forgotten) return;
    this.held.push({ data, at: performance.now() });
    this.bytes += data.length;
    if (this.bytes > held_max) this.from.pause();
    this.flow();
  }

  // Passes on what the line lets through now; the line's tick calls again while something is held.
  flow(is_tick = false) {
    const { mode } = this.pair.line;
    let left = mode.mode === 'trickle' ? (is_tick ? mode.bytes : 0) : Infinity;
    if (mode.mode === 'silence' && (mode.way === 'both' || mode.way === this.name)) left = 0;
    while (this.held.length > 0 && left > 0 && !this.pair.closed) {
      const first = this.held[0];
      if (mode.mode === 'delay' && performance.now() < first.at + mode.ms) return;
      const part = first.data.subarray(0, left);
      first.data = first.data.subarray(part.length);
      if (first.data.length === 0) this.held.shift();
      this.bytes -= part.length;
      left -= part.length;
      this.pair.pass(this.to, part);
    }
    if (this.bytes < held_max && this.from.isPaused()) this.from.resume();
    if (this.ended && this.held.length === 0 && !this.pair.forgotten && left > 0) this.to.end();
  }
}

class Pair {
  constructor(line, down) {
    this.line = line;
    this.closed = false;
    this.forgotten = false;
    this.tearing = false;
    this.left = Infinity;  // bytes until it is torn
    this.down = down;
    this.up = connect({ host: server_address, port: server_port, allowHalfOpen: true });
    this.ways = [new Way('up', down, this.up, this), new Way('down', this.up, down, this)];
    for (const socket of [this.down, this.up]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.close());
      socket.on('close', () => this.#ended());
    }
  }

  pass(to, data) {
    const part = data.subarray(0, this.left);
    this.left -= part.length;
    if (part.length > 0) to.write(part);
    if (this.left > 0 || this.tearing) return;
    this.tearing = true;
    this.line.torn++;
    // After what has been written is out: the other side has half a message.
    to.write('', () => this.close());
  }

  #ended() {
    if (this.forgotten) return;  // the other end is never told
    if (this.down.destroyed && this.up.destroyed) this.line.pairs.delete(this);
    else if (this.down.errored || this.up.errored) this.close();
  }

  close() {
    if (this.closed || this.forgotten) return;
    this.closed = true;
    this.line.pairs.delete(this);
    for (const socket of [this.down, this.up]) socket.resetAndDestroy();
  }
}

class Line {
  constructor() {
    this.mode = { mode: 'pass' };
    this.pairs = new Set();
    this.torn = 0;
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.#open(socket));
    setInterval(() => this.#each((way) => way.held.length > 0 && way.flow(true)), tick_ms);
  }

  listen(address) {
    return new Promise((done) => this.server.listen(0, address, () => done(this.server.address().port)));
  }

  #open(socket) {
    if (this.mode.mode === 'refuse') return socket.resetAndDestroy();
    const pair = new Pair(this, socket);
    if (this.mode.mode === 'tear') pair.left = this.mode.bytes;
    this.pairs.add(pair);
  }

  #each(work) {
    for (const pair of [...this.pairs]) for (const way of pair.ways) work(way);
  }

  set(mode) {
    this.mode = mode;
    for (const pair of [...this.pairs]) {
      pair.left = mode.mode === 'tear' ? mode.bytes : Infinity;
      if (mode.mode === 'refuse') pair.close();
      if (mode.mode !== 'forget') continue;
      pair.forgotten = true;
      for (const way of pair.ways) Object.assign(way, { held: [], bytes: 0 });
      this.pairs.delete(pair);
    }
    this.#each((way) => way.flow());
  }
}

const [listen_address, server_address, server_port, count] = process.argv.slice(2);
const lines = Array.from({ length: Number(count) }, () => new Line());
console.log(`ports ${(await Promise.all(lines.map((line) => line.listen(listen_address)))).join(' ')}`);
createInterface({ input: process.stdin }).on('line', (text) => {
  const { line, ...mode } = JSON.parse(text);
  lines[line].set(mode);
  console.log(`done ${line} ${mode.mode} torn ${lines[line].torn}`);
}).on('close', () => process.exit(0));

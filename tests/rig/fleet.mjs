// The processes of one run: the server, the relay and the devices, each on its host, with its clock and its disk; and what they said.
import { appendFileSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { line_of, start_program } from '../../tools/program.mjs';
import { bin, exec } from '../e2e/kit.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const device_disk_mib = 48;
const server_disk_mib = 192;
const clock_library = join(bin, 'rig_clock.so');

export const why_no_clocks = () => (existsSync(clock_library) ? '' : `${clock_library} is not there; build it: cmake --build build/release --target rig_clock`);

// What a device says without being asked.
const unasked = /^\{"event":"(refused|unread|unopened|torn|unwatched|unasked|unreported)"/;
// What it tells when a fault has reached it.
const trouble = /^\{"event":"phase","phase":"(offline|waiting|attention)"/;

// A program that may be killed, stopped and started again on its host.
class Process {
  constructor(fleet, name, host, start) {
    Object.assign(this, { fleet, name, host, start_again: start, child: null, killed: false, crashes: [], events: [] });
    this.clock = fleet.world.path(`${name}.clock`);
    this.log = fleet.world.path(`${name}.log`);
  }

  // An environment in which the wall clock is what `set_clock` says; the monotonic clock is left alone.
  env() {
    if (!this.fleet.has_clocks) return {};
    if (!existsSync(this.clock)) this.set_clock(0);
    return { LD_PRELOAD: clock_library, SKERRY_RIG_CLOCK: this.clock };
  }

  // What is open for reading elsewhere is written in place.
  set_clock(offset_s) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(offset_s) * 1_000_000n);
    const file = openSync(this.clock, constants.O_WRONLY | constants.O_CREAT);
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  }

  watch(child) {
    this.child = child;
    this.killed = false;
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => this.#said(line));
    child.ended.then((how) => {
      if (!this.killed) this.crashes.push(`${this.name} ended by itself: ${how}`);
    });
  }

  #said(line) {
    appendFileSync(this.log, `${((performance.now() - this.fleet.begun) / 1000).toFixed(3)} ${line}\n`);
    if (unasked.test(line)) this.events.push(JSON.parse(line));
    if (trouble.test(line)) this.fleet.noticed++;
  }

  signal(name) {
    this.child.kill(name);
  }

  async kill() {
    this.killed = true;
    this.signal('SIGKILL');
    await this.child.ended;
  }

  async start() {
    if (!this.fleet.closing) await this.start_again();
  }

  // Ends well: a device at "quit", the server at SIGTERM.
  async quit(ask) {
    this.killed = true;
    ask();
    return this.child.ended;
  }
}

// A device, spoken to in lines.
class Device extends Process {
  constructor(fleet, i) {
    super(fleet, `d${i}`, `d${i}`, () => this.#run());
    this.i = i;
    this.starts = 0;
    this.writing = true;
  }

  get store() {
    return join(this.has_disk ? `disk-d${this.i}` : '.', `d${this.i}.db`);
  }

  async #run() {
    const { fleet } = this;
    const args = ['--store', this.store, '--server', fleet.url_for(this.i), '--token-file', `d${this.i}.token`, '--journal', `d${this.i}.journal`,
      '--name', `d${this.i}`, '--seed', String(fleet.seed * 1000 + this.i * 50 + this.starts++), '--per-minute', String(fleet.per_minute)];
    const [program, ...rest] = [...fleet.net.wrap(this.host), join(bin, 'rig_client'), ...args, ...(this.writing ? ['--writing'] : [])];
    const child = start_program(program, rest, { cwd: fleet.world.dir, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...this.env() } });
    child.stdin.on('error', () => {});  // it was killed meanwhile
    fleet.world.children.push(child);
    this.watch(child);
  }

  say(command) {
    if (command === 'go' || command === 'stop') this.writing = command === 'go';
    this.child.stdin.write(command + '\n');
  }

  // The answer to a command, or nothing if it cannot be reported or is killed meanwhile.
  async ask(command, event) {
    const { child } = this;
    const from = child.lines.length;
    this.say(command);
    const line = await line_of(child, new RegExp(`^\\{"event":"(${event}|unreported)"`), from).catch(() => null);
    return line && JSON.parse(line);
  }
}

export class Fleet {
  constructor(world, net, { clients, seed, per_minute, relayed, has_clocks, disks }) {
    Object.assign(this, { world, net, seed, per_minute, has_clocks, disks, relayed });
    this.server = new Process(this, 'server', 'server', () => this.#serve());
    this.devices = Array.from({ length: clients }, (_, i) => new Device(this, i + 1));
    this.mounts = [];
    this.noticed = 0;  // how often a device found that something was wrong
    this.begun = performance.now();  // the times in the logs count from here
    for (const device of this.devices) device.has_disk = disks.includes(device.name);
  }

  async start() {
    for (const name of this.disks) await this.#mount(name === 'server' ? 'server' : `disk-${name}`, name === 'server' ? server_disk_mib : device_disk_mib);
    if (this.has_clocks) await this.#try_clock();
    const { world } = this;
    await world.skerry('init', 'server', '--model', join(here, 'model.yaml'));
    const names = this.devices.map((device) => device.name);
    await world.skerry('sql', 'server', "INSERT INTO tally (name, total) VALUES ('all', 0)");
    await world.skerry('sql', 'server', `INSERT INTO board (name) VALUES ${[0, 1, 2, 3, 4].map((n) => `('board${n}')`).join(', ')}`);
    await world.skerry('sql', 'server', `INSERT INTO own (author) VALUES ${names.map((name) => `('${name}')`).join(', ')}`);
    for (const name of names) await world.skerry('token', 'server', '--user', name, '--out', `${name}.token`);
    await this.#serve();
    if (this.relayed.length > 0) await this.#start_relay();
    for (const device of this.devices) await device.start();
    await Promise.all(this.devices.map((device) => line_of(device.child, /"event":"open"/)));
  }

  // That clocks can be made wrong, before anything is concluded from it.
  async #try_clock() {
    const hour = 3600;
    const probe = new Process(this, 'probe');
    probe.set_clock(-hour);
    const { out } = await exec('date', ['+%s'], { env: { ...process.env, ...probe.env() } });
    const off_s = Number(out) - Date.now() / 1000;
    if (Math.abs(off_s + hour) > hour / 2) throw new Error(`the clock of a program could not be made wrong: ${off_s} s instead of -${hour}`);
  }

  async #mount(folder, mib) {
    const path = this.world.path(folder);
    mkdirSync(path);
    const { code, err } = await exec('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'skerry-rig', path]);
    if (code !== 0) throw new Error(`mounting a small disk: ${err}`);
    this.mounts.push(path);
  }

  async #serve() {
    const { world, net, server } = this;
    const options = { wrap: net.wrap('server'), env: { ...server.env(), SKERRY_LOG_LEVEL: 'info' } };
    await world.serve(['--listen', net.listen_ip], options);
    server.watch(world.server);
  }

  async #start_relay() {
    const [program, ...rest] = [...this.net.wrap('lab'), process.execPath, join(here, 'relay.mjs'), this.net.relay_ip,
      this.net.server_ip, String(this.world.port), String(this.devices.length)];
    this.relay = start_program(program, rest, { cwd: this.world.dir, stdio: ['pipe', 'pipe', 'pipe'] });
    this.world.children.push(this.relay);
    this.relay_ports = (await line_of(this.relay, /^ports /)).split(' ').slice(1).map(Number);
  }

  url_for(i) {
    return this.relayed.includes(i) ? `http://${this.net.relay_ip}:${this.relay_ports[i - 1]}` : `http://${this.net.server_ip}:${this.world.port}`;
  }

  // Sets the relay's line of device i.
  async line(i, mode) {
    const from = this.relay.lines.length;
    this.relay.stdin.write(JSON.stringify({ line: i - 1, ...mode }) + '\n');
    await line_of(this.relay, new RegExp(`^done ${i - 1} ${mode.mode}`), from);
  }

  // Fills a small disk to its last byte; never more than a small disk takes, whatever the folder is by now.
  fill(name) {
    const folder = this.world.path(name === 'server' ? 'server' : `disk-${name}`);
    if (!this.mounts.includes(folder)) throw new Error(`${folder} is no small disk`);
    const piece = Buffer.alloc(1 << 16);
    try {
      for (let left = server_disk_mib << 20; left > 0 && statfsSync(folder).bavail > 0; left -= piece.length) appendFileSync(join(folder, 'filler'), piece);
    } catch (error) {
      if (error.code !== 'ENOSPC') throw error;
    }
  }

  free(name) {
    rmSync(this.world.path(join(name === 'server' ? 'server' : `disk-${name}`, 'filler')), { force: true });
  }

  processes() {
    return [this.server, ...this.devices];
  }

  // Everybody ends well; gives who did not.
  async quit() {
    const wrong = [];
    const end = async (one, ask) => {
      const how = await one.quit(ask);
      if (how !== 0) wrong.push(`${one.name} was told to end and ended with ${how}`);
    };
    await Promise.all(this.devices.map((device) => end(device, () => device.say('quit'))));
    await end(this.server, () => this.server.signal('SIGTERM'));
    return wrong;
  }

  // After an error or at the end: nothing of the run is left behind.
  async remove() {
    this.closing = true;  // a fault that is over now starts nobody again
    for (const one of this.processes()) {
      one.killed = true;
      if (one.child?.exitCode === null && one.child.signalCode === null) await one.kill();
    }
    if (this.relay) {
      this.relay.kill('SIGKILL');
      await this.relay.ended;
    }
    for (const path of this.mounts.splice(0)) await exec('umount', [path]);
  }
}

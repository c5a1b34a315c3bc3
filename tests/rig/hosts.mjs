// Where the processes live. With namespaces, the server, the relay and each device are hosts of their own on one bridge, with addresses
// and a link each; without, everybody is on the loopback address and only the relay can be at fault.
//
//   device 1 ── eth0 ── d1 ─┐
//   device 2 ── eth0 ── d2 ─┼─ br0 (the relay's host) ── s ── eth0 ── server
//
// A cut in one direction is a wrong hardware address in the sender's table of neighbours: its packets leave and reach nobody, and it
// is not told. All entries are permanent, so nothing is asked for on the way.
import { exec } from '../e2e/kit.mjs';

const server_at = { ip: '10.77.0.2', mac: '02:00:00:00:00:02' };
const relay_at = { ip: '10.77.0.1', mac: '02:00:00:00:00:01' };
const device_at = (i) => ({ ip: `10.77.1.${i}`, mac: `02:00:00:00:01:${i.toString(16).padStart(2, '0')}` });
const nobody = '02:00:00:00:de:ad';

async function ip(...args) {
  const { code, err } = await exec('ip', args);
  if (code !== 0) throw new Error(`ip ${args.join(' ')}: ${err.trim()}`);
}

async function batch(namespace, lines) {
  const { code, err } = await exec('ip', ['-n', namespace, '-batch', '-'], { input: lines.join('\n') + '\n' });
  if (code !== 0) throw new Error(`ip -n ${namespace}:\n${lines.join('\n')}\n${err.trim()}`);
}

// Why there can be no namespaces here, or nothing.
export async function why_no_namespaces() {
  if (process.getuid() !== 0) return 'not root: network namespaces and mounts need it';
  const name = `skrig-${process.pid}-try`;
  const made = await exec('ip', ['netns', 'add', name]);
  if (made.code !== 0) return `no network namespaces: ip netns add: ${made.err.trim() || made.code}`;
  await exec('ip', ['netns', 'del', name]);
  return '';
}

export class Namespaces {
  kind = 'namespaces';
  server_ip = server_at.ip;
  relay_ip = relay_at.ip;
  listen_ip = '0.0.0.0';
  has_links = true;

  constructor(count) {
    this.count = count;
    this.prefix = `skrig-${process.pid}`;
    this.made = [];
  }

  #name(what) {
    return `${this.prefix}-${what}`;
  }

  async make() {
    await this.#add('lab');
    const lab = this.#name('lab');
    await batch(lab, ['link set lo up', `link add br0 address ${relay_at.mac} type bridge`, `addr add ${relay_at.ip}/16 dev br0`, 'link set br0 up']);
    await this.#host('server', 's', server_at);
    for (let i = 1; i <= this.count; i++) await this.#host(`d${i}`, `d${i}`, device_at(i));
    const devices = Array.from({ length: this.count }, (_, i) => device_at(i + 1));
    await this.#know('lab', 'br0', [server_at, ...devices]);
    await this.#know('server', 'eth0', [relay_at, ...devices]);
    for (let i = 1; i <= this.count; i++) await this.#know(`d${i}`, 'eth0', [relay_at, server_at]);
  }

  async #add(what) {
    await ip('netns', 'add', this.#name(what));
    this.made.push(what);
  }

  async #host(what, port, at) {
    await this.#add(what);
    await ip('link', 'add', port, 'netns', this.#name('lab'), 'type', 'veth', 'peer', 'name', 'eth0', 'address', at.mac, 'netns', this.#name(what));
    await batch(this.#name('lab'), [`link set ${port} master br0`, `link set ${port} up`]);
    await batch(this.#name(what), ['link set lo up', `addr add ${at.ip}/16 dev eth0`, 'link set eth0 up']);
  }

  #know(what, device, others) {
    return batch(this.#name(what), others.map((at) => `neigh replace ${at.ip} lladdr ${at.mac} dev ${device} nud permanent`));
  }

  // Runs a program on the host: 'server', 'lab' or 'd1'.
  wrap(what) {
    return ['nsenter', `--net=/run/netns/${this.#name(what)}`];
  }

  // The cable is out: nobody is told, packets go nowhere.
  unplug(what) {
    return ip('-n', this.#name('lab'), 'link', 'set', what === 'server' ? 's' : what, 'down');
  }

  plug(what) {
    return ip('-n', this.#name('lab'), 'link', 'set', what === 'server' ? 's' : what, 'up');
  }

  // The device has switched its network off, and its programs are told so at once.
  switch_off(i) {
    return ip('-n', this.#name(`d${i}`), 'link', 'set', 'eth0', 'down');
  }

  async switch_on(i) {
    await ip('-n', this.#name(`d${i}`), 'link', 'set', 'eth0', 'up');
    await this.#know(`d${i}`, 'eth0', [relay_at, server_at]);
  }

  // What device i sends reaches nobody.
  mute(i) {
    return this.#know(`d${i}`, 'eth0', [{ ...relay_at, mac: nobody }, { ...server_at, mac: nobody }]);
  }

  unmute(i) {
    return this.#know(`d${i}`, 'eth0', [relay_at, server_at]);
  }

  // What is sent to device i does not reach it.
  async deafen(i, mac = nobody) {
    await this.#know('lab', 'br0', [{ ...device_at(i), mac }]);
    await this.#know('server', 'eth0', [{ ...device_at(i), mac }]);
  }

  undeafen(i) {
    return this.deafen(i, device_at(i).mac);
  }

  // Links go with the namespaces.
  async remove() {
    for (const what of this.made.splice(0)) await exec('ip', ['netns', 'del', this.#name(what)]);
  }
}

export class Loopback {
  kind = 'loopback';
  server_ip = '127.0.0.1';
  relay_ip = '127.0.0.1';
  listen_ip = '127.0.0.1';
  has_links = false;
  async make() {}
  async remove() {}
  wrap() {
    return [];
  }
}

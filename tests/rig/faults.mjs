// What goes wrong in a run: drawn from its kind and seed, then done. A plan is a list of faults, each with whom it meets, when it begins and
// when it is over; those of one host follow each other, those of different hosts overlap.

export const kinds = ['kill', 'pause', 'network', 'clock', 'disk'];
export const all_kinds = [...kinds, 'mixed'];

// Seeded numbers (splitmix32).
class Chance {
  constructor(text) {
    this.state = 0x811c9dc5;
    for (const c of text) this.state = Math.imul(this.state ^ c.charCodeAt(0), 0x01000193);
  }
  next() {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  }
  between(from, to) {
    return from + this.next() * (to - from);
  }
  whole(from, to) {
    return Math.floor(this.between(from, to + 1));
  }
  one_of(list) {
    return list[this.whole(0, list.length - 1)];
  }
}

const minute = 60;
const day = 86_400;

// What each fault is: how long it lasts, what is drawn for it, how it begins and how it ends. `who` is a process of the fleet.
const faults = {
  kill: { seconds: [0.1, 3], begin: (who) => who.kill(), end: (who) => who.start() },
  stop: { seconds: [1, 10], begin: (who) => who.signal('SIGSTOP'), end: (who) => who.signal('SIGCONT') },

  unplugged: { seconds: [1, 8], begin: (who, net) => net.unplug(who.host), end: (who, net) => net.plug(who.host) },
  off: { seconds: [1, 8], begin: (who, net) => net.switch_off(who.i), end: (who, net) => net.switch_on(who.i) },
  mute: { seconds: [1, 8], begin: (who, net) => net.mute(who.i), end: (who, net) => net.unmute(who.i) },
  deaf: { seconds: [1, 8], begin: (who, net) => net.deafen(who.i), end: (who, net) => net.undeafen(who.i) },

  delay: line({ seconds: [1, 8], draw: (chance) => ({ ms: chance.whole(50, 2000) }) }),
  trickle: line({ seconds: [1, 8], draw: (chance) => ({ bytes: chance.whole(5, 500) }) }),
  silence: line({ seconds: [1, 8], draw: (chance) => ({ way: chance.one_of(['up', 'down', 'both']) }) }),
  tear: line({ seconds: [1, 8], draw: (chance) => ({ bytes: chance.whole(1, 6000) }) }),
  forget: line({ seconds: [0.5, 4] }),
  refuse: line({ seconds: [1, 8] }),

  // Where it stays wrong, the next one begins from there.
  clock: {
    seconds: [0.5, 6],
    draw: (chance) => ({
      offset_s: Math.round(chance.one_of([-1, 1]) * chance.one_of([chance.between(1, 10 * minute), chance.between(1, 30) * day, chance.between(100, 4000) * day])),
      stays: chance.next() < 0.4,
    }),
    begin: (who, net, fault) => who.set_clock(fault.offset_s),
    end: (who, net, fault) => fault.stays || who.set_clock(0),
  },

  full: { seconds: [2, 10], begin: (who) => who.fleet.fill(who.name), end: (who) => who.fleet.free(who.name) },
};

function line({ seconds, draw }) {
  return {
    seconds,
    draw,
    begin: (who, net, fault) => who.fleet.line(who.i, { ...fault, mode: fault.fault }),
    end: (who) => who.fleet.line(who.i, { mode: 'pass' }),
  };
}

// Which devices speak through the relay, who has a small disk, and who meets a fault.
export function cast_of(kind, seed, { clients, net }) {
  const chance = new Chance(`cast ${kind} ${seed}`);
  const devices = Array.from({ length: clients }, (_, i) => i + 1);
  const bad_lines = kind === 'network' || kind === 'mixed';
  const relayed = !net.has_links ? devices : bad_lines ? devices.filter((i) => i % 2 === 1) : [];
  const disks = [];
  if (kind === 'disk' || kind === 'mixed') {
    disks.push(...devices.filter(() => chance.next() < 0.5).map((i) => `d${i}`));
    if (chance.next() < 0.5 || disks.length === 0) disks.push('server');
  }
  return { relayed, disks };
}

// The faults that may meet someone.
function possible(kind, name, i, { net, relayed, disks }) {
  const of_links = i === 0 ? ['unplugged'] : ['unplugged', 'off', 'mute', 'deaf'];
  const of_lines = ['delay', 'trickle', 'silence', 'tear', 'forget', 'refuse'];
  const of = {
    kill: ['kill'],
    pause: ['stop'],
    network: [...(net.has_links ? of_links : []), ...(relayed.includes(i) ? of_lines : [])],
    clock: ['clock'],
    disk: disks.includes(name) ? ['full'] : [],
  };
  return kind === 'mixed' ? kinds.flatMap((one) => of[one]) : of[kind];
}

export function plan_of(kind, seed, seconds, clients, cast) {
  const chance = new Chance(`plan ${kind} ${seed}`);
  const share = chance.between(0.4, 1);
  const plan = [];
  for (let i = 0; i <= clients; i++) {
    const name = i === 0 ? 'server' : `d${i}`;
    const list = possible(kind, name, i, cast);
    const takes_part = kind === 'disk' || (i === 0 ? kind === 'kill' || kind === 'clock' || chance.next() < 0.7 : chance.next() < share);
    if (list.length === 0 || !takes_part) continue;
    // A short run has its faults too.
    for (let at = chance.between(0.2, Math.min(3, seconds / 3)); at < seconds - 1; at += chance.between(0.5, Math.min(5, seconds / 4))) {
      const fault = chance.one_of(list);
      const [least, most] = faults[fault].seconds;
      const until = Math.min(seconds, at + chance.between(least, Math.min(most, seconds / 2)));
      plan.push({ who: name, fault, at, until, ...faults[fault].draw?.(chance) });
      at = until;
    }
  }
  return plan.sort((a, b) => a.at - b.at);
}

export function describe_fault({ who, fault, at, until, ...drawn }) {
  const more = Object.entries(drawn).map(([name, value]) => ` ${name}=${value}`).join('');
  return `${at.toFixed(1).padStart(5)} s to ${until.toFixed(1).padStart(5)} s  ${who.padEnd(6)} ${fault}${more}`;
}

// Does the plan; over when the last fault is. What could not be done is an error of the rig.
export async function carry_out(plan, fleet) {
  fleet.begun = performance.now();
  const { begun } = fleet;
  const wait_until = (s) => new Promise((done) => setTimeout(done, Math.max(0, begun + s * 1000 - performance.now())));
  const tracks = fleet.processes().map(async (who) => {
    for (const fault of plan.filter((one) => one.who === who.name)) {
      await wait_until(fault.at);
      if (fleet.closing) return;
      await faults[fault.fault].begin(who, fleet.net, fault);
      await wait_until(fault.until);
      await faults[fault.fault].end(who, fleet.net, fault);
    }
  });
  await Promise.all(tracks);
}

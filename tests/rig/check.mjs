// What has to be true when the faults are over: within eleven seconds everybody has the same rows, and every transaction that a device was
// promised is on the server as a whole, or is a draft as a whole. Files are read by the plain sqlite3 shell; of Skerry only what the
// devices say of themselves is asked.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '../e2e/kit.mjs';

export const seconds_max = 11;

const rows_of_all = ['member', 'tally', 'board', 'own', 'ticket'].map((entity) => `SELECT '${entity}', * FROM ${entity} ORDER BY 2;`).join(' ');

async function shell(fleet, file, sql, ...options) {
  const { code, out, err } = await exec('sqlite3', [...options, '-cmd', '.timeout 10000', fleet.world.path(file), sql]);
  return { failed: code === 0 ? '' : `sqlite3 ${file}: ${err.trim() || code}`, out };
}

const files_of = (fleet) => [['server', 'server/server.db'], ...fleet.devices.map((device) => [device.name, device.store])];

async function hashes(fleet) {
  return Promise.all(files_of(fleet).map(async ([name, file]) => {
    const { failed, out } = await shell(fleet, file, rows_of_all);
    return { name, hash: failed || createHash('sha256').update(out).digest('hex') };
  }));
}

function what_ails(report) {
  if (!report) return 'gives no answer';
  if (report.event === 'unreported') return `cannot report: ${report.code}: ${report.message}`;
  const not_zero = ['unsent', 'unsettled', 'quarantined', 'incomplete', 'conflicts'].filter((name) => report[name] !== 0).map((name) => `${name} ${report[name]}`);
  const parts = [...not_zero, ...(report.phase === 'live' ? [] : [`phase ${report.phase}`]), ...(report.problem ? [`problem ${report.problem}`] : [])];
  return parts.join(', ');
}

const report_within = (device, ms) => Promise.race([device.ask('report', 'report'), new Promise((done) => setTimeout(done, ms, null))]);

// Waits until everybody is at rest and has the same rows. Gives the seconds that it took, and what was not so after `limit` seconds. It waits longer
// than that, so that what comes late is told from what is lost.
async function equal_after(fleet, limit, patience) {
  const begun = performance.now();
  const passed = () => (performance.now() - begun) / 1000;
  let late = [];
  let wrong = [];
  do {
    const reports = await Promise.all(fleet.devices.map((device) => report_within(device, 3000)));
    wrong = fleet.devices.map((device, at) => [device.name, what_ails(reports[at])]).filter(([, ails]) => ails !== '').map(([name, ails]) => `${name}: ${ails}`);
    if (wrong.length === 0) {
      const [server, ...devices] = await hashes(fleet);
      wrong = devices.filter((one) => one.hash !== server.hash).map((one) => `${one.name} has other rows than the server`);
      if (wrong.length === 0) {
        const seconds = passed();
        if (seconds > limit) late.push(`everybody is equal after ${seconds.toFixed(1)} s only`);
        return { seconds, wrong: late };
      }
    }
    await new Promise((done) => setTimeout(done, 100));
    if (passed() >= limit && late.length === 0) late = wrong.map((one) => `after ${limit} s ${one}`);
  } while (passed() < patience);
  return { seconds: null, wrong: [...late, `after ${patience} s it is not otherwise`] };
}

// What a device meant to write and what it was promised, in order.
function read_journal(fleet, device) {
  const groups = new Map();
  for (const line of readFileSync(fleet.world.path(`${device.name}.journal`), 'utf8').split('\n')) {
    const [word, group, rows, delta] = line.split(' ');
    if (word === 'intended') groups.set(group, { author: device.name, rows: Number(rows), delta: Number(delta), committed: false, refused: false });
    if (word === 'committed') groups.get(group).committed = true;
    if (word === 'refused') groups.get(group).refused = true;
  }
  return groups;
}

async function query(fleet, file, sql, wrong) {
  const { failed, out } = await shell(fleet, file, sql, '-json');
  if (failed) wrong.push(failed);
  return out === '' || failed ? [] : JSON.parse(out);
}

// Every group of every device: on the server, or a draft, or (only where its commit never returned) nowhere; whole in each case.
function check_groups(groups, on_server, drafts, wrong) {
  let accepted = 0;
  for (const [group, { author, rows, committed, refused, delta }] of groups) {
    const there = on_server.get(group)?.rows ?? 0;
    const drafted = drafts.get(group)?.rows ?? 0;
    const name = `group ${group} of ${author} (${rows} rows${committed ? ', acknowledged' : ''})`;
    if (there !== 0 && there !== rows) wrong.push(`${name}: ${there} rows are on the server`);
    if (drafted !== 0 && drafted !== rows) wrong.push(`${name}: ${drafted} rows are in the draft`);
    if (there !== 0 && drafted !== 0) wrong.push(`${name}: is on the server and a draft`);
    if (committed && there === 0 && drafted === 0) wrong.push(`${name}: is lost`);
    if (refused && there + drafted !== 0) wrong.push(`${name}: the commit was refused, and it is there`);
    if (there !== 0 && on_server.get(group).delta !== delta) wrong.push(`${name}: its delta is another`);
    if (there !== 0) accepted += delta;
  }
  for (const group of on_server.keys()) if (!groups.has(group)) wrong.push(`group ${group} is on the server, and nobody wrote it`);
  return accepted;
}

async function check_content(fleet, wrong) {
  const on_server = new Map();
  const rows = await query(fleet, 'server/server.db', 'SELECT grp, count(*) AS rows, sum(delta) AS delta FROM member GROUP BY grp', wrong);
  for (const row of rows) on_server.set(row.grp, row);
  const groups = new Map();
  const drafts = new Map();
  for (const device of fleet.devices) {
    const own = read_journal(fleet, device);
    for (const [group, what] of own) groups.set(group, what);
    const answer = await device.ask('drafts', 'drafts');
    if (answer?.event !== 'drafts') wrong.push(`${device.name} does not show its drafts`);
    for (const [group, what] of Object.entries(answer?.groups ?? {})) drafts.set(group, what);
    const last = [...own.keys()].filter((group) => on_server.has(group)).at(-1) ?? null;
    const [own_row] = await query(fleet, 'server/server.db', `SELECT last_grp FROM own WHERE author = '${device.name}'`, wrong);
    if (own_row?.last_grp !== last) wrong.push(`the own row of ${device.name} holds ${own_row?.last_grp}; its last accepted group is ${last}`);
  }
  const accepted = check_groups(groups, on_server, drafts, wrong);
  const [tally] = await query(fleet, 'server/server.db', "SELECT total FROM tally WHERE name = 'all'", wrong);
  if (tally?.total !== accepted) wrong.push(`the tally is ${tally?.total}; what was accepted comes to ${accepted}`);
  const all = [...groups.values()];
  return { acknowledged: all.filter((one) => one.committed).length, refused: all.filter((one) => one.refused).length, drafts: drafts.size };
}

// After everybody has ended: whole files, and nothing in them or in what was printed that should not be there.
async function check_files(fleet, wrong) {
  for (const [, file] of files_of(fleet)) {
    const { failed, out } = await shell(fleet, file, 'PRAGMA integrity_check; PRAGMA foreign_key_check;');
    if (failed) wrong.push(failed);
    else if (out.trim() !== 'ok') wrong.push(`${file}: ${out.trim().slice(0, 500)}`);
  }
  const secrets = fleet.devices.map((device) => readFileSync(fleet.world.path(`${device.name}.token`), 'utf8').trim());
  for (const name of readdirSync(fleet.world.dir)) {
    if (/^core/.test(name)) wrong.push(`a process left ${name}`);
    if (!/\.(log|journal)$/.test(name)) continue;
    const text = readFileSync(join(fleet.world.dir, name), 'utf8');
    if (secrets.some((secret) => text.includes(secret))) wrong.push(`a token stands in ${name}`);
  }
}

// What a device told its user: only a full disk may refuse a write, nothing may refuse a read, nobody may see part of a group.
function check_events(fleet, wrong) {
  const refusals = {};
  for (const device of fleet.devices) {
    for (const { event, code, message, group } of device.events) {
      const name = `${event} ${code ?? ''}`.trim();
      const is_allowed = device.has_disk && code === 'disk_full' && (event === 'refused' || event === 'unopened');
      if (is_allowed) refusals[name] = (refusals[name] ?? 0) + 1;
      else wrong.push(`${device.name}: ${name}${group ? ` group ${group}` : ''}${message ? `: ${message}` : ''}`);
    }
  }
  return refusals;
}

export async function check_all(fleet, limit = seconds_max, patience = 90) {
  const { seconds, wrong } = await equal_after(fleet, limit, patience);
  const counts = await check_content(fleet, wrong);
  wrong.push(...(await fleet.quit()));
  const refusals = check_events(fleet, wrong);
  for (const one of fleet.processes()) wrong.push(...one.crashes);
  await check_files(fleet, wrong);
  return { seconds, wrong, ...counts, noticed: fleet.noticed, refusals };
}

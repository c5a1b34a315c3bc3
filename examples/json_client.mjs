#!/usr/bin/env node
// A device in JavaScript, without a dependency, as one would write it for another language from docs/protocol.md,
// "The same in JSON". Its rows are a JSON file; it works without a network and catches up when there is one.
//
//   SKERRY_TOKEN=… node json_client.mjs ann.json enrol http://127.0.0.1:8737
//   node json_client.mjs ann.json insert note '{"body":"a light on the rocks"}' [key]
//   node json_client.mjs ann.json update note KEY '{"body":"two lights"}'
//   node json_client.mjs ann.json sync | watch | verify | list ENTITY | status
//
// What it keeps is what the server said (`rows`) and what was written here and has no outcome yet (`journal`); what is shown
// is the one on top of the other. It leaves out: waiting and trying again, mending drafts (they are kept), an archive of settled
// transactions for a server restored from a backup, a new identity for a copied file, the differences of counters, sets and texts
// in what it shows before the server has merged them, checks of the model (the server makes them), profiles that keep rows to the
// device, several programs on one file. For all of that there is the Skerry library.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const push_transactions = 100; // the server takes 500, and about 1 MiB

// Keys are ordered by their bytes, which JavaScript's < does not do beyond U+FFFF.
const before = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
const in_range = (key, { after, upto }) => before(after, key) && (upto === null || !before(upto, key));

export class Refused extends Error {
  constructor({ code, message, retry_after_ms }) {
    super(`${code}: ${message}`);
    Object.assign(this, { code, retry_after_ms });
  }
}

export class Device {
  constructor(file) {
    this.file = file;
    this.state = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {
      device: randomBytes(16).toString('hex'), scopes: {}, rows: {}, journal: [], drafts: [], conflicts: 0, next: 1,
    };
    for (const rows of Object.values(this.state.rows)) Object.setPrototypeOf(rows, null); // a key may be any text
  }

  // Either the old file or the new one, whatever happens meanwhile.
  save() {
    writeFileSync(`${this.file}.new`, JSON.stringify(this.state), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }

  // ---- talking ----

  // The lines of an answer, as they come. One that does not end with `end` was cut: what came after its last checkpoint
  // has not happened.
  async *ask(route, ...lines) {
    const response = await fetch(`${this.state.server}/v1/${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.state.token}`, 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line) + '\n').join(''),
    });
    if (!response.headers.get('content-type')?.startsWith('application/x-ndjson'))
      throw new Error(`this is no Skerry server: ${response.status}`);
    let text = '';
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      const whole = (text + piece).split('\n');
      text = whole.pop();
      for (const line of whole.map((one) => JSON.parse(one))) {
        if (line.frame === 'error') throw new Refused(line);
        if (line.frame === 'end') return;
        yield line;
      }
    }
    throw new Error('the answer was cut');
  }

  async enrol(server = this.state.server, token = this.state.token) {
    Object.assign(this.state, { server, token });
    for await (const line of this.ask('enroll', { frame: 'enroll', device: this.state.device, name: 'json_client.mjs' })) {
      const { user, model, model_hash, from } = line;
      this.state.from ??= from; // later it is what the last checkpoint said
      Object.assign(this.state, { user, model, model_hash });
    }
    this.save();
  }

  async sync({ verify = false, on_checkpoint } = {}) {
    await this.with_model(() => this.push());
    await this.with_model(() => this.pull({ verify, on_checkpoint }));
  }

  // Goes on for as long as the server does; `on_checkpoint` may return false to end it.
  watch(on_checkpoint) {
    return this.with_model(() => this.pull({ live: true, on_checkpoint }));
  }

  // The server has a newer model: the names that we know are in it still.
  async with_model(what) {
    try {
      return await what();
    } catch (error) {
      if (error.code !== 'model_mismatch') throw error;
      await this.enrol();
      return what();
    }
  }

  head(frame) {
    const { device, model_hash, journal, next } = this.state;
    // The lowest number that still matters: unsettled, or named by what is unsettled.
    const keep_from = Math.min(next, ...journal.flatMap((txn) => [txn.number, ...txn.needs, ...named_by(txn)]));
    return { frame, device, model_hash, keep_from };
  }

  async push() {
    for (let at = 0; at < this.state.journal.length; at += push_transactions) {
      const some = this.state.journal.slice(at, at + push_transactions);
      for await (const line of this.ask('push', this.head('push'), ...some)) {
        // A verdict is a hint for the screen: what settles is the outcome that a pull brings, together with the rows.
        if (line.frame === 'expect') throw new Error(`the server lacks transaction ${line.number}, and so does this file`);
        if (line.frame === 'identity_taken') throw new Error('another copy of this file has written: enrol a new one');
      }
    }
  }

  async pull({ live = false, verify = false, on_checkpoint } = {}) {
    let frames = [];
    const { token_of_last: token } = this.state;
    for await (const line of this.ask('pull', { ...this.head('pull'), live, verify, ...(token && { token }) })) {
      if (line.frame === 'heartbeat') continue;
      frames.push(line);
      if (line.frame !== 'checkpoint') continue;
      this.apply(frames);
      this.save();
      frames = [];
      if (on_checkpoint?.(line) === false) return;
    }
  }

  // ---- a checkpoint: all of it or nothing, which here means: saved at its end ----

  apply(frames) {
    const { state } = this;
    if (frames[0].frame !== 'begin' || frames[0].from !== state.from) throw new Error('the checkpoint continues another one');
    for (const frame of frames) this[`on_${frame.frame}`](frame);
    // Rows that no scope holds any more go; where a scope is all of the entity, rows have no lines.
    const whole = new Set(Object.values(state.scopes).filter((scope) => scope.whole).map((scope) => scope.entity));
    for (const [entity, rows] of Object.entries(state.rows))
      if (!whole.has(entity)) for (const [key, row] of Object.entries(rows)) if (row.scopes.length === 0) delete rows[key];
  }

  on_begin({ verify, scopes, rows_left }) {
    const old = this.state.scopes;
    const granted = Object.fromEntries(scopes.map((scope) => [scope.scope, { ...scope, complete: false }]));
    this.state.rows_left = rows_left;
    this.state.scopes = verify ? granted : { ...old, ...granted };
    if (!verify) return;
    // The list is all there is. Numbers may mean something else than before; lines follow the scopes' names.
    const now = new Map(scopes.map((scope) => [scope.name, scope.scope]));
    for (const rows of Object.values(this.state.rows))
      for (const row of Object.values(rows)) row.scopes = row.scopes.map((scope) => now.get(old[scope]?.name)).filter((scope) => scope !== undefined);
  }

  on_outcomes({ outcomes }) {
    for (const outcome of outcomes) {
      const at = this.state.journal.findIndex((txn) => txn.number === outcome.number && txn.id.startsWith(outcome.id8));
      if (at < 0) continue;
      const [txn] = this.state.journal.splice(at, 1);
      if (outcome.verdict === 'rejected') this.state.drafts.push({ ...txn, outcome });
      if (outcome.verdict === 'conflict') this.state.conflicts++; // what of, the rows of skerry_conflict say
    }
  }

  on_lines({ entity, scope, keys }) {
    for (const key of keys) add_line(this.base(entity)[key], scope);
  }

  on_rows({ entity, rows }) {
    for (const row of rows) this.take(entity, row);
  }

  on_leaves({ entity, scope, keys }) {
    for (const key of keys) {
      if (this.state.scopes[scope].whole) delete this.base(entity)[key];
      else drop_lines(this.base(entity)[key], [scope]);
    }
  }

  on_lost_scope({ scope }) {
    const { entity, whole } = this.state.scopes[scope];
    for (const row of Object.values(this.base(entity))) if (!whole) drop_lines(row, [scope]);
    delete this.state.scopes[scope];
  }

  // The whole truth of a range of keys, for its scopes.
  on_slice(slice) {
    const here = this.base(slice.entity);
    const whole = slice.scopes.some((scope) => this.state.scopes[scope].whole);
    const keys = new Set(slice.rows.map((row) => row.key));
    for (const key of Object.keys(here).filter((one) => in_range(one, slice))) {
      drop_lines(here[key], slice.scopes);
      if (whole && !keys.has(key)) delete here[key];
    }
    for (const row of slice.rows) this.take(slice.entity, row);
  }

  on_complete({ scope }) {
    this.state.scopes[scope].complete = true;
  }

  on_checkpoint({ token, next }) {
    Object.assign(this.state, { token_of_last: token, from: next });
  }

  take(entity, { key, scopes, version, values }) {
    const row = { version, values, scopes: this.base(entity)[key]?.scopes ?? [] };
    for (const scope of scopes) add_line(row, scope);
    this.base(entity)[key] = row;
  }

  base(entity) {
    return (this.state.rows[entity] ??= Object.create(null));
  }

  // ---- reading and writing ----

  entity(name) {
    const found = this.state.model.entities.find((entity) => entity.name === name);
    if (!found) throw new Error(`the model has no entity ${name}`);
    return found;
  }

  // Rows as the app sees them: what the server said, and on top what waits here.
  rows(entity) {
    const rows = new Map(Object.entries(this.base(entity)).map(([key, row]) => [key, row.values]));
    for (const txn of this.state.journal)
      for (const op of txn.operations.filter((one) => one.entity === entity)) {
        if (op.operation === 'insert') rows.set(op.key, op.values);
        if (op.operation === 'delete') rows.delete(op.key);
        if (op.operation !== 'update' || !rows.has(op.key)) continue;
        const written = Object.entries(op.changes).map(([name, change]) => [name, change.new]);
        rows.set(op.key, { ...rows.get(op.key), ...Object.fromEntries(written) });
      }
    return rows;
  }

  // A name that the server does not know would be refused there, with everything that is written after it.
  check_names(entity, values) {
    for (const name of Object.keys(values))
      if (!this.entity(entity).attributes.some((attribute) => attribute.name === name)) throw new Error(`${entity} has no attribute ${name}`);
  }

  insert(entity, values, key = randomUUID()) {
    this.check_names(entity, values);
    const defaults = this.entity(entity).attributes.map(({ name, default: value = null }) => [name, value]);
    const previous = this.previous(entity, key);
    this.commit({ operation: 'insert', entity, key, values: { ...Object.fromEntries(defaults), ...values }, ...(previous && { previous }) });
    return key;
  }

  update(entity, key, values) {
    const shown = this.rows(entity).get(key);
    if (!shown) throw new Error(`${entity} has no row ${key}`);
    this.check_names(entity, values);
    const { conflict, attributes } = this.entity(entity);
    const changes = {};
    for (const { name, merge } of attributes) {
      const differs = name in values && JSON.stringify(values[name]) !== JSON.stringify(shown[name]);
      if (!differs && conflict !== 'last') continue; // of `last` the whole row wins: it is sent whole
      const previous = ['counter', 'set'].includes(merge) ? 0 : this.previous(entity, key, name);
      changes[name] = { old: shown[name], new: values[name] ?? (name in values ? null : shown[name]), ...(previous && { previous }) };
    }
    if (Object.keys(changes).length === 0) return;
    this.commit({ operation: 'update', entity, key, changes, ...(conflict === 'detect' && this.version(entity, key)) });
  }

  remove(entity, key) {
    if (this.rows(entity).has(key)) this.commit({ operation: 'delete', entity, key, ...this.version(entity, key) });
  }

  // Which version of a row was seen: our own latest, or the server's.
  version(entity, key) {
    const previous = this.previous(entity, key);
    return previous ? { previous } : { version: this.base(entity)[key].version };
  }

  // The latest transaction of ours, without an outcome yet, that wrote the row, or this attribute of it; 0 if none.
  previous(entity, key, attribute) {
    const wrote = (op) => op.entity === entity && op.key === key && (!attribute || op.operation === 'insert' || (op.changes && attribute in op.changes));
    return this.state.journal.findLast((txn) => txn.operations.some(wrote))?.number ?? 0;
  }

  commit(...operations) {
    const { state } = this;
    // Rows that these operations touch or refer to, and that wait here themselves.
    const touched = operations.flatMap((op) => [[op.entity, op.key], ...this.references(op)]);
    const creates = (txn) => txn.operations.some((op) => op.operation === 'insert' && touched.some(([entity, key]) => op.entity === entity && op.key === key));
    const needs = state.journal.filter(creates).map((txn) => txn.number);
    const id = randomBytes(16).toString('hex');
    state.journal.push({ frame: 'transaction', number: state.next++, id, made_at_us: Date.now() * 1000, needs, operations });
    this.save();
  }

  references({ entity, values, changes }) {
    const value = (name) => values?.[name] ?? changes?.[name]?.new;
    return this.entity(entity).attributes.filter(({ name, references }) => references && value(name)).map(({ name, references }) => [references, value(name)]);
  }
}

const add_line = (row, scope) => {
  if (row && !row.scopes.includes(scope)) row.scopes.push(scope);
};
const drop_lines = (row, scopes) => {
  if (row) row.scopes = row.scopes.filter((scope) => !scopes.includes(scope));
};
const named_by = ({ operations }) =>
  operations.flatMap((op) => [op, ...Object.values(op.changes ?? {})]).map(({ previous }) => previous).filter(Boolean);

async function main([file, command, ...args]) {
  const device = file && new Device(file);
  const print = (rows) => rows.forEach((values, key) => console.log(JSON.stringify({ key, ...values })));
  const commands = {
    enrol: (server) => device.enrol(server, process.env.SKERRY_TOKEN),
    insert: (entity, values, key) => console.log(device.insert(entity, JSON.parse(values), key)),
    update: (entity, key, values) => device.update(entity, key, JSON.parse(values)),
    delete: (entity, key) => device.remove(entity, key),
    sync: () => device.sync(),
    verify: () => device.sync({ verify: true }),
    watch: () => device.watch(() => console.log('changed')),
    list: (entity) => print(device.rows(entity)),
    status: () => {
      const { user, journal, drafts, conflicts, scopes } = device.state;
      const complete = Object.values(scopes).every((scope) => scope.complete);
      console.log(JSON.stringify({ user, complete, waiting: journal.length, conflicts, drafts: drafts.map(({ number, outcome }) => ({ number, ...outcome })) }));
    },
  };
  if (!(command in commands)) throw new Error(`usage: json_client.mjs FILE ${Object.keys(commands).join('|')} …`);
  await commands[command](...args);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  main(process.argv.slice(2)).catch((error) => {
    console.error(`json_client: ${error.message}`);
    process.exitCode = 1;
  });

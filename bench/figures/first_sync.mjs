// A new device takes 227,000 rows: time, bytes on the socket, file, memory.
import { createServer, connect } from 'node:net';
import { World, data, exec, figure, measure, median, process_memory, settle, thing } from '../kit.mjs';

// The same rows through scopes of a rule, with a line for each row: the things of the countries that the principal has, which are all.
const keyed_model = `app: bench
version: 1
access: open
entities:
${thing}principal:
  countries: select country from mine
profiles:
  field: { thing: country in :countries }
`;

// What crosses the socket, both ways, while `work` runs against a proxy in front of the server.
async function socket_bytes(url, work) {
  const { hostname, port } = new URL(url);
  let bytes = 0;
  const proxy = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, into] of [[near, far], [far, near]]) {
      from.on('data', (chunk) => (bytes += chunk.length));
      from.on('error', () => into.destroy());
      from.pipe(into);
    }
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  await work(`http://127.0.0.1:${proxy.address().port}`);
  await new Promise((done) => proxy.close(done));
  return bytes;
}

async function against_floor(model, rows, rounds) {
  const world = new World();
  try {
    const tsv = await data(rows);
    await world.init(model, tsv);
    await world.skerry('sql', 'server', 'CREATE TABLE mine(country TEXT PRIMARY KEY)');
    await world.skerry('sql', 'server', 'INSERT INTO mine SELECT DISTINCT country FROM thing');
    await world.serve();
    const token = await world.token('anna');
    const sync = async () => {
      world.remove('device.db');
      await settle(world);
      return measure('first_sync', world.path('device.db'), world.url, token);
    };
    const samples = { floor: [], cold: [], warm: [] };
    let file_ratio = 0;
    for (let i = 0; i < rounds; ++i) {
      world.remove('floor.db');
      await settle(world);
      const floor = await measure('floor', world.path('floor.db'), tsv);
      await world.restart_cold();
      const cold = await sync();
      const warm = await sync();
      for (const one of [cold, warm]) if (one.rows !== rows) throw new Error(`${one.rows} rows arrived`);
      samples.floor.push(floor.seconds);
      samples.cold.push(cold.seconds);
      samples.warm.push(warm.seconds);
      file_ratio = warm.file_bytes / floor.file_bytes;
    }
    world.remove('device.db');
    const bytes = await socket_bytes(world.url, (url) => measure('first_sync', world.path('device.db'), url, token));
    const floor = median(samples.floor);
    const worse = Math.max(median(samples.cold), median(samples.warm));
    return {
      ratio: worse / floor, file_ratio, bytes,
      how: `cold ${median(samples.cold).toFixed(2)} s, warm ${median(samples.warm).toFixed(2)} s, plain SQLite ${floor.toFixed(2)} s`,
    };
  } finally {
    await world.close();
  }
}

// Peaks of device and server, each in a process of its own.
async function memory(rows) {
  const world = new World();
  try {
    await world.init(undefined, await data(rows));
    await world.serve();
    const { peak_kib } = await measure('first_sync', world.path('device.db'), world.url, await world.token('anna'));
    return { device: peak_kib / 1024, server: process_memory(world.server.pid).peak_kib / 1024 };
  } finally {
    await world.close();
  }
}

export async function* figures({ quick, say }) {
  const rows = quick ? 20_000 : 227_000;
  const rounds = quick ? 1 : 7;
  say(`${rows} rows, ${rounds} rounds`);
  const whole = await against_floor(undefined, rows, rounds);
  yield figure('first_sync_vs_floor', whole.ratio, 'x', { limit: 2, how: whole.how });
  say('the same through scopes of a rule');
  const keyed = await against_floor(keyed_model, rows, rounds);
  yield figure('first_sync_keyed_vs_floor', keyed.ratio, 'x', { limit: 4, how: keyed.how });
  const text = Number(await exec('sh', ['-c', 'zstd -3 -q -c "$1" | wc -c', 'sh', await data(rows)]));
  yield figure('first_sync_wire_vs_zstd_tsv', whole.bytes / text, 'x', { limit: 0.9, how: `${(whole.bytes / 1e6).toFixed(2)} MB on the socket, zstd -3 of the rows as text ${(text / 1e6).toFixed(2)} MB` });
  yield figure('device_file_vs_plain', whole.file_ratio, 'x', { limit: 1.4 });
  const many = rows * 10;
  say(`memory, ${rows} and ${many} rows`);
  const small = await memory(rows);
  const large = await memory(many);
  yield figure('first_sync_rss_growth', Math.max(large.device / small.device, large.server / small.server), 'x', {
    limit: 1.15, how: `device ${small.device.toFixed(0)} -> ${large.device.toFixed(0)} MiB, server ${small.server.toFixed(0)} -> ${large.server.toFixed(0)} MiB`,
  });
  yield figure('first_sync_rss_mb', Math.max(large.device, large.server) * 1.048576, 'MB', { limit: 200 });
}

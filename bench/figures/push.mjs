// Rows on their way to the server: from ten devices that were offline, and from programs that write to its database.
import { mkdirSync, readFileSync } from 'node:fs';
import { World, areas_model, data, data_in_areas, figure, measure, median, settle } from '../kit.mjs';

const devices = 10;
const a_commit = 100;

async function pushed(kind, rows, rounds) {
  const samples = { plain: [], devices: [] };
  for (let i = 0; i < rounds; ++i) {
    const world = new World();
    try {
      const tsv = await data_in_areas(world, rows, (i) => `area ${Math.floor((i * devices) / rows)}`);
      await world.init(areas_model, kind === 'update' ? tsv : undefined);
      await settle(world);
      samples.plain.push((await measure('push', 'plain', kind, world.path('plain.db'), tsv, a_commit)).seconds);
      await world.serve();
      const tokens = [];
      for (let d = 0; d < devices; ++d) {
        const file = world.path(`token${d}`);
        await world.skerry('token', 'server', '--user', `user${d}`, '--claim', `area=area ${d}`, '--out', file);
        tokens.push(readFileSync(file, 'utf8').trim());
      }
      mkdirSync(world.path('devices'));
      await settle(world);
      samples.devices.push((await measure('push', 'devices', kind, world.path('devices'), tsv, a_commit, world.url, ...tokens)).seconds);
    } finally {
      await world.close();
    }
  }
  const plain = median(samples.plain);
  const ours = median(samples.devices);
  return { ratio: ours / plain, how: `${kind}s ${ours.toFixed(2)} s (${Math.round(rows / ours)} rows/s), plain ${plain.toFixed(2)} s` };
}

async function sequenced(rows, rounds) {
  const world = new World();
  try {
    const tsv = await data(rows);
    await world.init(undefined, tsv);
    await world.serve();
    const rates = [];
    let last;
    for (let i = 0; i < rounds; ++i) {
      last = await measure('direct_sql', world.path('server/server.db'), tsv, 1000);
      rates.push(rows / last.sequenced_seconds);
    }
    return { rate: median(rates), how: `from the first of ${rows / 1000} commits until all is sequenced; the last round ${last.sequenced_seconds.toFixed(2)} s, ${last.written_seconds.toFixed(2)} s of it until the last commit` };
  } finally {
    await world.close();
  }
}

export async function* figures({ quick, say }) {
  const rows = quick ? 10_000 : 100_000;
  const rounds = quick ? 1 : 7;
  say(`${rows} rows from ${devices} devices, ${a_commit} a transaction`);
  const inserts = await pushed('insert', rows, rounds);
  const updates = await pushed('update', rows, rounds);
  yield figure('push_rows_per_s_vs_floor', Math.max(inserts.ratio, updates.ratio), 'x', { limit: 6, how: `${inserts.how}; ${updates.how}` });
  say(`${rows} rows by SQL`);
  const { rate, how } = await sequenced(rows, rounds);
  yield figure('sequencer_rows_per_s', rate, 'rows/s', { limit: 10_000, least: true, how });
}

// What an app does on its own device, without a network: writing, which is captured and numbered, and reading.
import { World, data, figure, measure, median, settle } from '../kit.mjs';

async function writes(rows, a_commit, rounds) {
  const world = new World();
  try {
    const tsv = await data(rows);
    await world.init();
    await world.serve();
    const token = await world.token('anna');
    const samples = { plain: [], device: [] };
    for (let i = 0; i < rounds; ++i) {
      for (const kind of ['plain', 'device']) {
        world.remove('file.db');
        await settle(world);
        const ours = kind === 'device' ? [world.url, token] : [];
        samples[kind].push((await measure('local_write', kind, world.path('file.db'), tsv, rows, a_commit, ...ours)).us_a_row);
      }
    }
    const plain = median(samples.plain);
    const device = median(samples.device);
    return { ratio: device / plain, how: `${device.toFixed(1)} µs a row, plain ${plain.toFixed(1)} µs` };
  } finally {
    await world.close();
  }
}

// From the store's file by prepared statements, and through a device's sql().
async function reads(rows, rounds) {
  const world = new World();
  try {
    const tsv = await data(rows);
    await world.init(undefined, tsv);
    await world.serve();
    await measure('first_sync', world.path('device.db'), world.url, await world.token('anna'));
    await world.stop_server();
    await measure('floor', world.path('plain.db'), tsv);
    const samples = [];
    for (let i = 0; i < rounds; ++i) samples.push(await measure('local_read', world.path('plain.db'), world.path('device.db'), tsv));
    const of = (way) => {
      const ratios = Object.keys(samples[0]).map((kind) => [kind, median(samples.map((one) => one[kind][way] / one[kind].plain))]);
      const point = (from) => median(samples.map((one) => one.point[from])).toFixed(1);
      return {
        ratio: Math.max(...ratios.map(([, ratio]) => ratio)),
        how: `${ratios.map(([kind, ratio]) => `${kind} ${ratio.toFixed(2)}`).join(', ')}; a point read ${point(way)} µs, plain ${point('plain')} µs`,
      };
    };
    return { file: of('file'), api: of('api') };
  } finally {
    await world.close();
  }
}

export async function* figures({ quick, say }) {
  const rounds = quick ? 1 : 7;
  say('one row a commit');
  const single = await writes(quick ? 500 : 4000, 1, rounds);
  yield figure('captured_insert_1_vs_plain', single.ratio, 'x', { limit: 2.5, how: single.how });
  say('1,000 rows a commit');
  const bulk = await writes(quick ? 10_000 : 50_000, 1000, rounds);
  yield figure('captured_insert_1000_vs_plain', bulk.ratio, 'x', { limit: 4, how: bulk.how });
  say('reading');
  const { file, api } = await reads(quick ? 20_000 : 227_000, quick ? 2 : 7);
  yield figure('local_read_vs_plain', file.ratio, 'x', { limit: 1.05, how: `prepared statements on the store's file: ${file.how}` });
  yield figure('local_read_api_vs_plain', api.ratio, 'x', { how: `through Device::sql: ${api.how}` });
}

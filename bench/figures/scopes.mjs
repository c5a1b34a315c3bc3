// Does the way of a change to the device that it is for cost more where there are many scopes?
import { readFileSync } from 'node:fs';
import { World, areas_model, data_in_areas, figure, measure, median } from '../kit.mjs';

// The same rows in so many scopes, two neighbours never in the same one.
async function server_of(rows, scopes) {
  const world = new World();
  await world.init(areas_model, await data_in_areas(world, rows, (i) => `s${i % scopes}`));
  await world.serve();
  await world.skerry('token', 'server', '--user', 'anna', '--claim', 'area=s0', '--out', 'anna.token');
  return { world, token: readFileSync(world.path('anna.token'), 'utf8').trim(), scopes, samples: [] };
}

export async function* figures({ quick, say }) {
  const rows = quick ? 20_000 : 200_000;
  const most = quick ? 10_000 : 100_000;
  const changes = 1000;
  const repeats = quick ? 1 : 7;
  say(`${rows} rows in 10 and in ${most} scopes`);
  const made = [];
  try {
    for (const scopes of [10, most]) made.push(await server_of(rows, scopes));
    for (let i = 0; i < repeats; ++i)
      for (const one of made)
        one.samples.push(await measure('routed', one.world.path('device.db'), one.world.url, one.token, one.world.path('server/server.db'), one.scopes, 7, changes));
    const [few, many] = made.map((one) => median(one.samples.map((sample) => sample.us_a_change)));
    yield figure('scale_scopes', many / few, 'x', {
      limit: 1.5, how: `${many.toFixed(1)} µs a change with ${most} scopes, ${few.toFixed(1)} µs with 10; ${changes} changes by SQL, a tenth of them moves, until the device has its one`,
    });
  } finally {
    for (const one of made) await one.world.close();
  }
}

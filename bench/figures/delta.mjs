// A device that has a million rows asks for what is new: ten rows, or nothing.
import { World, data, figure, measure } from '../kit.mjs';

export async function* figures({ quick, say }) {
  const rows = quick ? 100_000 : 1_000_000;
  const rounds = quick ? 5 : 21;
  const world = new World();
  try {
    say(`${rows} rows on a device first`);
    const tsv = await data(rows);
    await world.init(undefined, tsv);
    await world.serve();
    const token = await world.token('anna');
    await measure('first_sync', world.path('device.db'), world.url, token);
    say(`${rounds} rounds`);
    const found = await measure('delta', world.path('device.db'), world.url, token, world.path('server/server.db'), tsv, rounds, 10);
    yield figure('delta_10_in_1m_ms', found.ms, 'ms', { limit: 20, how: `changed by SQL, request to commit, sequencing included; with nothing changed ${found.nothing_ms.toFixed(1)} ms` });
    yield figure('delta_10_in_1m_bytes', found.bytes, 'bytes', { limit: 2048, how: 'both bodies' });
    yield figure('nothing_changed_bytes', found.nothing_bytes, 'bytes', { limit: 300, how: 'both bodies' });
  } finally {
    await world.close();
  }
}

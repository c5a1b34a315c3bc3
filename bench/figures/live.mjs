// What live devices wait for a change, what 10,000 changed rows take to a device, and what a connection at rest costs.
import { World, data, figure, measure, median, process_memory, program } from '../kit.mjs';

async function world_of(rows, users) {
  const world = new World();
  await world.init(undefined, await data(rows));
  await world.serve();
  const tokens = [];
  for (let i = 0; i < users; ++i) tokens.push(await world.token(`user-${i}`));
  return { world, tokens };
}

async function delays({ rows, users, light, real, changes }) {
  const { world, tokens } = await world_of(rows, users);
  try {
    return await measure('live', world.url, world.path('server/server.db'), world.dir, light, real, changes, ...tokens);
  } finally {
    await world.close();
  }
}

async function batch(rows, times) {
  const { world, tokens } = await world_of(rows + rows / 5, 1);
  try {
    return (await measure('live_batch', world.path('device.db'), world.url, tokens[0], world.path('server/server.db'), rows, times)).ms;
  } finally {
    await world.close();
  }
}

// The server alone in its process, the devices in another. They have enrolled and have what there is before the server starts
// anew and its memory is taken for the first time.
async function idle(devices, seconds) {
  const { world, tokens } = await world_of(100, 4);
  try {
    const child = await world.start(program('live_idle'), [world.url, devices, ...tokens], { stdin: 'pipe' });
    let from = 0;
    const step = async (line) => {
      child.stdin.write(`${line}\n`);
      await world.line(child, new RegExp(`^done ${line}$`), from);
      from = child.lines.length;
    };
    await step('enrol');
    await world.stop_server();
    await world.serve('--connections-max', devices + 100);
    await fetch(`${world.url}/healthz`, { headers: { connection: 'close' } });
    const before = process_memory(world.server.pid).pss_kib;
    await step('live');
    await step('change');
    await step(`idle ${seconds}`);
    const after = process_memory(world.server.pid).pss_kib;
    return { before, after, each: (after - before) / devices };
  } finally {
    await world.close();
  }
}

export async function* figures({ quick, say }) {
  const rows = 2_000;
  const changes = quick ? 10 : 50;
  const many_changes = quick ? 5 : 30;
  const told = (of, what) => `p99 ${of.p99_ms.toFixed(1)}, longest ${of.max_ms.toFixed(1)} ms; ${what}`;

  say(`${changes} changes to one device`);
  const one = await delays({ rows, users: 1, light: 0, real: 1, changes });
  yield figure('live_1_p50_ms', one.push.p50_ms, 'ms', { limit: 5, how: told(one.push, `${changes} changes, each from before its push until a store's live query showed it; two syncs of the disk are in it, of ${one.sync_ms.toFixed(1)} ms each`) });
  yield figure('live_1_sql_p50_ms', one.sql.p50_ms, 'ms', { how: told(one.sql, `${changes} changes committed by SQL`) });

  const light = quick ? 180 : 980;
  const real = 20;
  say(`${many_changes} changes to ${light + real} devices`);
  const many = await delays({ rows, users: 10, light, real, changes: many_changes });
  const what = `${many_changes} changes to ${light} light devices and ${real} stores`;
  yield figure('live_1000_p50_ms', many.push.p50_ms, 'ms', { limit: 50, how: what });
  yield figure('live_1000_p99_ms', many.push.p99_ms, 'ms', { limit: 250, how: `longest ${many.push.max_ms.toFixed(1)} ms` });
  yield figure('live_1000_sql_p50_ms', many.sql.p50_ms, 'ms', { how: told(many.sql, 'the same committed by SQL') });

  say('a batch of 10,000 rows');
  const batches = await batch(10_000, quick ? 2 : 7);
  yield figure('batch_10k_visible_ms', median(batches), 'ms', { limit: 400, how: `median of ${batches.length}, longest ${Math.max(...batches).toFixed(0)} ms` });

  const devices = quick ? 500 : 10_000;
  say(`${devices} connections at rest`);
  const rest = await idle(devices, quick ? 3 : 30);
  yield figure('idle_live_connection_kib', rest.each, 'KiB', {
    limit: 20, how: `${devices} devices: ${(rest.before / 1024).toFixed(1)} -> ${(rest.after / 1024).toFixed(1)} MiB of the server's process`,
  });
}

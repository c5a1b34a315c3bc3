// What is installed, used as somebody else's project would: CMake, pkg-config, and the Debian package.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { World, bin, exec } from './kit.mjs';

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
const build = dirname(bin);

async function succeeds(program, args, options) {
  const { code, out, err } = await exec(program, args, options);
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${out}${err}`);
  return out;
}

// A server with two users, for the program that is built against what was installed.
async function two_devices(world, program, name, env) {
  await world.init(readFileSync(join(root, 'examples/two_devices.yaml'), 'utf8'));
  await world.serve();
  for (const user of ['ann', 'ben']) await world.skerry('token', 'server', '--user', user, '--out', `${user}.token`);
  for (const one of [program, name].filter(Boolean)) {
    const folder = world.path(`run-${one.split('/').pop()}`);
    mkdirSync(folder);
    const out = await succeeds(one, [world.url, world.path('ann.token'), world.path('ben.token')], { cwd: folder, env: { ...process.env, ...env } });
    assert.match(out, /ann: a light on the rocks\n {2}ben: gone fishing\n/);
  }
}

// The simulator needs nothing but what is installed: neither this tree nor a library for tests.
async function tries_a_model(program, model) {
  assert.match(await succeeds(program, ['--model', model, '--worlds', '1'], { cwd: '/' }), /^All held\. /m);
  assert.doesNotMatch(await succeeds('ldd', [program]), /gtest|gmock|benchmark|not found/);
}

test('find_package(skerry) after cmake --install: the examples in C++ and C build and sync', async (t) => {
  const world = new World(t);
  const prefix = world.path('prefix');
  await succeeds('cmake', ['--install', build, '--prefix', prefix]);
  await succeeds('cmake', ['-S', join(root, 'tests/package'), '-B', world.path('consumer'), `-DCMAKE_PREFIX_PATH=${prefix}`, `-DSKERRY_EXAMPLES=${join(root, 'examples')}`]);
  await succeeds('cmake', ['--build', world.path('consumer')]);
  await two_devices(world, world.path('consumer/two_devices'), world.path('consumer/two_devices_c'), {});

  // The installed program and headers say the same version, and no header includes what is not installed.
  const version = (await succeeds(join(prefix, 'bin/skerry'), ['--version'])).trim();
  assert.match(version, /^skerry \d+\.\d+\.\d+$/);
  await tries_a_model(join(prefix, 'bin/skerry-sim'), join(prefix, 'share/doc/skerry/examples/two_devices.yaml'));
  for (const header of readdirSync(join(prefix, 'include/skerry'))) {
    const compiler = header.endsWith('.h') ? ['cc', '-x', 'c', '-std=c99', '-pedantic-errors'] : ['c++', '-x', 'c++', '-std=c++20'];
    await succeeds(compiler[0], [...compiler.slice(1), '-fsyntax-only', '-Wall', '-Wextra', '-I', join(prefix, 'include'),
      join(prefix, 'include/skerry', header)]);
  }
});

test('the library shows its own names only', async () => {
  const names = (await succeeds('nm', ['-D', '--defined-only', '-C', join(build, 'lib/libskerry.so')])).split('\n').filter(Boolean)
    .map((line) => line.replace(/^\S+ \S /, '')).filter((name) => !/^(skerry::(Device::|describe|code_name|network_name|export_outbox|rebuild_store)|skerry_)/.test(name));
  assert.deepEqual(names, []);
});

test('the Debian package holds the program, the library and the headers; a C program builds with pkg-config', async (t) => {
  const world = new World(t);
  await succeeds('cpack', ['-G', 'DEB', '--config', join(build, 'CPackConfig.cmake'), '-B', world.path('out')]);
  const [deb] = readdirSync(world.path('out')).filter((name) => name.endsWith('.deb'));
  const control = await succeeds('dpkg-deb', ['--field', world.path(`out/${deb}`)]);
  assert.match(control, /^Package: skerry$/m);
  assert.match(control, /^Depends: .*libsodium/m);
  const root_of = world.path('root');
  await succeeds('dpkg-deb', ['--extract', world.path(`out/${deb}`), root_of]);
  const pc = (await succeeds('find', [root_of, '-name', 'skerry.pc'])).trim();
  const env = { ...process.env, PKG_CONFIG_PATH: dirname(pc) };
  const flags = (await succeeds('pkg-config', ['--cflags', '--libs', 'skerry'], { env })).trim().split(/\s+/);
  await succeeds('cc', ['-o', world.path('two_devices_c'), join(root, 'examples/two_devices.c'), ...flags]);
  await two_devices(world, world.path('two_devices_c'), '', { LD_LIBRARY_PATH: dirname(dirname(pc)) });
  assert.match(await succeeds(join(root_of, 'usr/bin/skerry'), ['--help']), /Subcommands:/);
  await tries_a_model(join(root_of, 'usr/bin/skerry-sim'), join(root_of, 'usr/share/doc/skerry/examples/two_devices.yaml'));
});

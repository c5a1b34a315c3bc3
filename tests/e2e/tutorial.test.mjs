// docs/getting-started.md as a reader types it: every line that begins with "$ ", in order, in one shell; what the page
// shows as output is what comes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { World, bin, exec } from './kit.mjs';

const page = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../docs/getting-started.md');

// [{ command, output: [lines] }]
function steps(markdown) {
  const found = [];
  for (const [, block] of markdown.matchAll(/^```\n([\s\S]*?)^```$/gm)) {
    for (const line of block.trimEnd().split('\n')) {
      const last = found.at(-1);
      if (line.startsWith('$ ')) found.push({ command: line.slice(2), output: [], block });
      else if (last?.block !== block) continue;
      else if (line.startsWith('    ') && last.output.length === 0) last.command += '\n' + line;
      else last.output.push(line);
    }
  }
  return found;
}

async function free_port() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

test('the tutorial does what it says', async (t) => {
  const world = new World(t);
  const port = await free_port();
  const here = (text) => text.replaceAll('8737', String(port));
  const all = steps(readFileSync(page, 'utf8'));
  assert.ok(all.length > 20, `only ${all.length} commands were found`);
  let script = 'set -m\ntrap \'kill %1 2>/dev/null || true\' EXIT\n';
  all.forEach(({ command }, i) => {
    let typed = here(command);
    script += `echo "<${i}>"\n`;
    if (/^skerry serve .* &$/.test(typed)) {
      // A reader sees when it serves before typing on.
      script += `${typed.replace(/ &$/, ` --port ${port} >/dev/null 2>&1 &`)}\nuntil (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do kill -0 %1 || exit 1; sleep 0.05; done\n`;
    } else {
      if (typed.startsWith('skerry watch')) typed += ' --count 1 --timeout 60';  // a reader ends it with Ctrl-C
      script += typed.startsWith('kill %1') ? `${typed}\nwait %1\n` : `${typed} 2>&1\n`;
    }
  });
  writeFileSync(world.path('tutorial.sh'), script);
  const { code, out, err } = await exec('bash', ['tutorial.sh'], { cwd: world.dir, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
  assert.equal(code, 0, out + err);
  const said = out.split(/^<\d+>\n/m).slice(1);
  assert.equal(said.length, all.length, out + err);
  all.forEach(({ command, output }, i) => {
    const failed = output.some((line) => line.startsWith('skerry: '));
    if (!failed) assert.doesNotMatch(said[i], /^skerry: /m, `$ ${command}`);
    if (output.length === 0 || command.endsWith('&')) return;
    const lines = said[i].split('\n').map((line) => line.trimEnd());
    for (const line of output.map(here)) assert.ok(lines.includes(line.trimEnd()), `$ ${command}\nshould say\n${line}\nand says\n${said[i]}`);
  });
});

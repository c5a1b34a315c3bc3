// Writes docs/cli.md from the program's own help, or checks that it is up to date:
//   node tools/gen_cli.mjs build/release/bin/skerry docs/cli.md [--check]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [binary, file, check] = process.argv.slice(2);
if (!file || (check && check !== '--check')) {
  console.error('usage: node gen_cli.mjs BINARY FILE [--check]');
  process.exit(2);
}
const help = (...words) => execFileSync(binary, [...words, '--help'], { encoding: 'utf8' }).trimEnd();
const commands = ['model check', 'model diff', 'types', 'init', 'serve', 'backup', 'restore', 'token', 'devices', 'import', 'device open', 'sync', 'check', 'export', 'rebuild', 'watch', 'status',
  'conflicts', 'conflicts show', 'conflicts resolve', 'drafts', 'drafts show', 'drafts edit', 'drafts retry', 'drafts discard',
  'drafts export', 'log', 'quarantine', 'sql'];

const listed = [...help().split('Subcommands:')[1].matchAll(/^  (\w+) /gm)].map((m) => m[1]);
const described = new Set(commands.map((c) => c.split(' ')[0]));
for (const name of listed) {
  if (described.has(name)) continue;
  console.error(`gen_cli.mjs does not know the command ${name}`);
  process.exit(1);
}

let page = `# The command line

\`skerry\` is one program for the server and for devices. Results go to standard output, progress and errors to
standard error; \`--json\` prints for programs. Exit codes: 0 done, 1 failed, 2 wrong command line. What went wrong is
said as \`code: message\` with what to do; all codes are in [errors.md](errors.md).

A server is a folder (\`skerry init\`), a device is one SQLite file (\`skerry device open\`). Both may be read and
written by any SQLite program at the same time.
`;
for (const command of commands) {
  page += `\n## skerry ${command}\n\n\`\`\`\n${help(...command.split(' '))}\n\`\`\`\n`;
}
page += '\nThis page is generated from the program\'s help; `cmake --build build/release --target docs` writes it anew.\n';

if (check) {
  if (readFileSync(file, 'utf8') === page) process.exit(0);
  console.error(`${file} is not what the program's help says; run: cmake --build build/release --target docs`);
  process.exit(1);
}
writeFileSync(file, page);

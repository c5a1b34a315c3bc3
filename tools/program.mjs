// Programs that run beside a script, and the lines that they print: for tests and measurements.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// `lines`: what it printed so far; `errors`: the same of standard error, as one text; `ended`: its exit code or signal, once it has ended.
export function start_program(program, args, options) {
  const child = spawn(program, args, options);
  child.errors = '';
  child.stderr.on('data', (data) => (child.errors += data));
  child.lines = [];
  child.waiting = [];
  child.ended = new Promise((done) => child.on('close', (code, signal) => done(code ?? signal)));
  child.ended.then(() => child.waiting.forEach((look) => look(true)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    child.lines.push(line);
    child.waiting.forEach((look) => look(false));
  });
  return child;
}

// The first line of it that matches, from line `from` on.
export function line_of(child, pattern, from = 0) {
  return new Promise((done, failed) => {
    const look = (ended) => {
      const found = child.lines.slice(from).find((line) => pattern.test(line));
      if (found === undefined && !ended) return;
      child.waiting = child.waiting.filter((other) => other !== look);
      if (found !== undefined) done(found);
      else failed(new Error(`ended without ${pattern}:\n${child.lines.join('\n')}\n${child.errors}`));
    };
    child.waiting.push(look);
    look(child.exitCode !== null);
  });
}

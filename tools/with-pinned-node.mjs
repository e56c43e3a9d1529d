/**
 * Runs a command with the pinned Node first in PATH: `node tools/with-pinned-node.mjs vitest run`.
 *
 * npm 11 links node_modules/.bin/node to the pinned Node. npm 10, which comes with Node 20 and 22, makes that link too and
 * then removes it with the build for the other processor, which has a link of the same name. So the scripts of
 * package.json come through here. Plain JavaScript, because an older Node starts it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules');
const pinned = join(packages, `node-linux-${process.arch}`, 'bin');
const [command, ...args] = process.argv.slice(2);

if (command === undefined) {
  console.error('usage: node tools/with-pinned-node.mjs COMMAND [ARGUMENT...]');
  process.exitCode = 2;
} else if (!existsSync(join(pinned, 'node')) && Number.parseInt(process.versions.node, 10) < 24) {
  console.error(`the pinned Node is not in ${packages}, and this is ${process.version}; run "npm ci"`);
  process.exitCode = 1;
} else {
  const path = [pinned, join(packages, '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
  // Ctrl-C reaches the child from the terminal; this one stays until it has ended, and says how.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exitCode = 127;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1;
    else {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    }
  });
}

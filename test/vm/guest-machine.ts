/**
 * A small machine for what the kernel of a machine that builds may not have: Debian's kernel as a program (User-mode Linux),
 * Debian's programs, and this project with its Node. No network; what a test writes goes with the machine.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, runTool } from '../../tools/project.ts';
import { REPORT } from '../../tools/test/report-failures.ts';
import { makeGuestImage } from './guest-image.ts';

/** Programs start several times as slowly as on the machine itself. */
const GUEST_MS = 45 * 60_000;
const PROJECT_FILES = ['src', 'test', 'tools', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

export interface GuestRun {
  /** What came out of the console. */
  readonly console: string;
  /** What was written to the file REPORT in the project's folder; empty where nothing was. */
  readonly report: string;
}

export interface GuestOptions {
  /** systemd is the first process, and runs the lines; else nothing runs beside them. */
  readonly isUnderSystemd?: boolean;
  /** Files of the machine that the guest has in the project's folder, by their names there. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Starts a machine, runs lines of shell in the project's folder, and waits until it switches itself off.
 *
 * @throws {Error} where it cannot be made, with what the program said
 */
export async function runInGuest(
  run: string,
  { isUnderSystemd = false, files = {} }: GuestOptions = {},
): Promise<GuestRun> {
  const { kernel, disk } = await makeGuestImage();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-vm-'));
  try {
    const project = join(folder, 'project');
    for (const name of PROJECT_FILES) await cp(join(ROOT, name), join(project, name), { recursive: true });
    for (const [name, path] of Object.entries(files)) await cp(path, join(project, name));
    await symlink('/node_modules', join(project, 'node_modules'));
    await writeFile(join(project, 'run'), run);
    const { output } = await runTool({
      file: 'nice',
      args: [
        ...['-n', '10', kernel, 'mem=2G', `ubda=${join(folder, 'cow')},${disk}`, 'root=/dev/ubda', 'rw', 'init=/init'],
        ...['con=null', 'con0=null,fd:1', `uml_dir=${folder}`, `HOLDFAST=${project}`],
        ...(isUnderSystemd ? ['HOLDFAST_SYSTEMD=1'] : []),
      ],
      timeoutMs: GUEST_MS,
      output: 'capture',
    });
    const report = await readFile(join(project, REPORT), 'utf8').catch(() => '');
    return { console: output, report };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

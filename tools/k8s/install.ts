/** Installs the programs of Debian that the kit needs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from '../project.ts';
import { prepareHost } from '../test/prepare-host.ts';
import { CNI_FOLDER, CNI_PACKAGE, KIT_PROGRAMS } from './programs.ts';

const INSTALL_MS = 900_000;

/** Installs what is missing, naming it. @returns why the kit cannot run here, or undefined when it can */
export async function installForKit(say: (line: string) => void): Promise<string | undefined> {
  const reason = await prepareHost(KIT_PROGRAMS);
  // No program on the path is of that package alone.
  if (reason !== undefined || existsSync(join(CNI_FOLDER, 'bridge'))) return reason;
  say(`installing ${CNI_PACKAGE}`);
  const args = ['install', '--yes', '--quiet', '--no-install-recommends', '--', CNI_PACKAGE];
  const { code, output } = await runTool({ file: 'apt-get', args, timeoutMs: INSTALL_MS, output: 'capture' });
  return code === 0 ? undefined : `${CNI_PACKAGE} could not be installed: ${output}`;
}

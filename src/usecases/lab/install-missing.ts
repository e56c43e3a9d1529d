/** Installs what a command needs and the machine lacks, naming each. */
import type { NeededProgram } from '../../domain/needed-programs.ts';
import type { Packages } from '../../ports/packages.ts';

export interface InstallOptions {
  /** Told each package and why, before it is installed. */
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that programs are there.
 *
 * @returns the packages that were installed
 * @throws {AppError} in one sentence, with what is missing and the command to run; nothing was changed then
 */
export async function installMissing(
  { packages }: { readonly packages: Packages },
  needed: readonly NeededProgram[],
  { say, signal }: InstallOptions,
): Promise<readonly string[]> {
  const missing = await packages.findMissing(needed);
  const names = [...new Set(missing.map((each) => each.debianPackage))].toSorted();
  for (const name of names) {
    const programs = missing.filter((each) => each.debianPackage === name).map((each) => each.program);
    say(`installing ${name} (for ${programs.join(', ')})`);
  }
  await packages.install(missing, signal);
  return names;
}

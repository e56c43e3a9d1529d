/** The levels of test, and which can run here. */
import { existsSync } from 'node:fs';

export interface TestLevel {
  /** Name of the vitest project. */
  readonly name: string;
  readonly about: string;
  readonly timeoutMs: number;
}

const MINUTE_MS = 60_000;

/** One after the other, before all else: they are cheap, so that a plain mistake shows early. */
export const FIRST_LEVELS: readonly TestLevel[] = [
  { name: 'unit', about: 'functions and their properties', timeoutMs: 5 * MINUTE_MS },
  { name: 'tools', about: 'launcher, lint rules, lockfile, documentation', timeoutMs: 5 * MINUTE_MS },
];

/** Needs root, FUSE, loop devices and Debian packages, and most of the time of all. */
export const ENGINE_LEVEL: TestLevel = {
  name: 'engine',
  about: 'real storage on lab hosts',
  timeoutMs: 55 * MINUTE_MS,
};

/**
 * Beside the engine level, which waits for disks and peers a third of its time; they give way to it. So they may take as long as that
 * does: on a slow day the simulator, seven minutes by itself, was stopped after twenty with three files of 31 to go.
 */
export const BESIDE_LEVELS: readonly TestLevel[] = [
  { name: 'sim', about: 'a whole cluster in memory with faults by seed', timeoutMs: 40 * MINUTE_MS },
  { name: 'contract', about: 'ports on the real thing and the fake', timeoutMs: 30 * MINUTE_MS },
];

/** Why levels that need a host can't run here, or undefined when they can. */
export function whyNoHost(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/dev/fuse')) return 'no /dev/fuse';
  if (!existsSync('/dev/loop-control')) return 'no /dev/loop-control';
  return undefined;
}

/** The levels of test, in the order they run: the cheap ones first, so that a plain mistake shows early. */
import { existsSync } from 'node:fs';

export interface TestLevel {
  /** Name of the vitest project. */
  readonly name: string;
  readonly about: string;
  readonly timeoutMs: number;
  /** Needs root, FUSE, loop devices and Debian packages. */
  readonly needsHost: boolean;
}

const MINUTE_MS = 60_000;

export const TEST_LEVELS: readonly TestLevel[] = [
  { name: 'unit', about: 'functions and their properties', timeoutMs: 5 * MINUTE_MS, needsHost: false },
  {
    name: 'tools',
    about: 'launcher, lint rules, lockfile, documentation',
    timeoutMs: 5 * MINUTE_MS,
    needsHost: false,
  },
  { name: 'sim', about: 'a whole cluster in memory with faults by seed', timeoutMs: 10 * MINUTE_MS, needsHost: false },
  { name: 'contract', about: 'ports on the real thing and the fake', timeoutMs: 10 * MINUTE_MS, needsHost: false },
  { name: 'engine', about: 'real storage on lab hosts', timeoutMs: 55 * MINUTE_MS, needsHost: true },
];

/** Why levels that need a host can't run here, or undefined when they can. */
export function whyNoHost(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync('/dev/fuse')) return 'no /dev/fuse';
  if (!existsSync('/dev/loop-control')) return 'no /dev/loop-control';
  return undefined;
}

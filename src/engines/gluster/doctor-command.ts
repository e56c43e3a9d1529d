/** Argument lists of gluster commands that only `holdfast doctor` needs. Pure. */
import { AppError } from '../../domain/errors.ts';
import type { Argv } from './command.ts';

const FRAME = ['--mode=script', '--xml'] as const;

/** All volumes; asks this node's glusterd alone and takes no lock. */
export function volumeInfoAllArgv(): Argv {
  return [...FRAME, 'volume', 'info'];
}

/** The highest op-version that all members of the pool support. */
export function maxOpVersionArgv(): Argv {
  return [...FRAME, 'volume', 'get', 'all', 'cluster.max-op-version'];
}

/** Raises the op-version of the pool; glusterd refuses to lower it, or to go above what a member supports. */
export function raiseOpVersionArgv(version: number): Argv {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new AppError('range', `${version} is no op-version: expected a whole number such as 100000`);
  }
  return [...FRAME, 'volume', 'set', 'all', 'cluster.op-version', String(version)];
}

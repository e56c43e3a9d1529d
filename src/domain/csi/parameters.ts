/**
 * Parameters of a StorageClass. Beside Holdfast's own names those of StorageOS, Ondat and Heketi are read with the meaning that
 * they have at home, so that their classes need a new provisioner and nothing else.
 */
import { AppError, type Fault } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { KEPT_BY_SERVER, NO_QUORUM } from '../volume/unused-words.ts';
import { isOfShare } from './class-share.ts';
import { type ClassWish, COPY_PARAMETERS, FAILURE_MODES, PARAMETERS, type ReadParameter } from './parameter-table.ts';

/** More are no class that somebody wrote. */
export const MAX_PARAMETERS = 64;
/** Values may be a password of another system's class: none is repeated. */
const MAX_VALUE = 256;

/**
 * Reads the parameters of a class.
 *
 * @throws {AppError} invalid, with every key that is unknown (and the nearest known one), refused, or said twice
 */
export function readParameters(parameters: Readonly<Record<string, string>>): ClassWish {
  const entries = Object.entries(parameters);
  const faults: Fault[] = [];
  const saidBy = new Map<string, string>();
  let wish: ClassWish = {};
  for (const [key, value] of entries.slice(0, MAX_PARAMETERS)) {
    const read = readOne(key, value);
    if ('fault' in read) {
      faults.push({ field: shownKey(key), message: read.fault });
      continue;
    }
    for (const field of Object.keys(read.wish)) {
      const other = saidBy.get(field);
      if (other !== undefined)
        faults.push({ field: shownKey(key), message: `says the same as ${other}; leave one out` });
      saidBy.set(field, shownKey(key));
    }
    wish = { ...wish, ...read.wish };
  }
  if (isOfShare(wish)) faults.push(...uselessToShares(entries));
  if (wish.engine === 'local') faults.push(...uselessToLocal(entries));
  if (entries.length > MAX_PARAMETERS) faults.push({ field: 'parameters', message: `are more than ${MAX_PARAMETERS}` });
  if (faults.length === 0) return wish;
  throw new AppError('invalid', 'the parameters of the class cannot be followed', {
    reason: 'InvalidParameters',
    faults,
  });
}

/** Said, and of no use to engine nfs; `false` claims nothing. */
function uselessToShares(entries: readonly (readonly [key: string, value: string])[]): readonly Fault[] {
  const useless = entries.filter(([key, value]) => COPY_PARAMETERS.has(key) && value !== 'false');
  return useless.map(([key]) => ({ field: key, message: KEPT_BY_SERVER }));
}

/** One copy has no minority: there are no writes to stop, or to let through, while others are away. */
function uselessToLocal(entries: readonly (readonly [key: string, value: string])[]): readonly Fault[] {
  const useless = entries.filter(([key, value]) => FAILURE_MODES.has(key) && value === 'hard');
  return useless.map(([key]) => ({ field: key, message: NO_QUORUM }));
}

function readOne(key: string, value: string): ReadParameter {
  const read = Object.hasOwn(PARAMETERS, key) ? PARAMETERS[key] : undefined;
  if (read === undefined) {
    const meant = nearest(key.slice(0, MAX_VALUE), Object.keys(PARAMETERS));
    return { fault: `is no known parameter${meant === undefined ? '' : `; did you mean ${meant}?`}` };
  }
  if (value.length > MAX_VALUE) return { fault: `has more than ${MAX_VALUE} characters` };
  return read(value);
}

/** A key as it may be repeated to its caller. */
export function shownKey(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}...` : key).slice(1, -1);
}

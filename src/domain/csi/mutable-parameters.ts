/** Parameters of a VolumeAttributesClass: what of a volume can be changed while it is there, and in use. */
import { AppError, type Fault } from '../errors.ts';
import type { Locality } from '../locality/locality.ts';
import { nearest } from '../nearest.ts';
import { PROFILE_NAMES, type ProfileName } from '../volume/profile.ts';
import { FAILURE_MODES, PARAMETERS } from './parameter-table.ts';
import { MAX_PARAMETERS, readParameters, shownKey } from './parameters.ts';

/** A change of a volume; what is left out stays as it is. */
export interface VolumeChange {
  readonly profile?: ProfileName;
  readonly replicas?: number;
  readonly locality?: Locality;
  /** By the name that it was said with; there is one only, which some engines have and others have no use for. */
  readonly failureMode?: string;
}

/** Read as in a StorageClass, and with the same meaning. */
const SHARED = ['replicas', 'locality', 'failureMode', 'storageos.com/replicas', 'storageos.com/failure-mode'] as const;
const MUTABLE: readonly string[] = ['profile', ...SHARED];

/**
 * Reads the parameters.
 *
 * @throws {AppError} invalid, with every key that is unknown or cannot be changed, and every value that is refused
 */
export function readMutableParameters(parameters: Readonly<Record<string, string>>): VolumeChange {
  const entries = Object.entries(parameters);
  const faults: Fault[] = entries.slice(0, MAX_PARAMETERS).flatMap(([key, value]) => faultOf(key, value) ?? []);
  if (entries.length > MAX_PARAMETERS) faults.push({ field: 'parameters', message: `are more than ${MAX_PARAMETERS}` });
  if (faults.length > 0) {
    throw new AppError('invalid', 'the mutable parameters cannot be followed', { reason: 'InvalidParameters', faults });
  }
  const { profile: asked, ...rest } = parameters;
  const profile = PROFILE_NAMES.find((name) => name === asked);
  const { replicas, locality } = readParameters(rest);
  const failureMode = Object.keys(rest).find((key) => FAILURE_MODES.has(key));
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(locality === undefined ? {} : { locality }),
    ...(failureMode === undefined ? {} : { failureMode }),
  };
}

function faultOf(key: string, value: string): Fault | undefined {
  const field = shownKey(key);
  if (!MUTABLE.includes(key)) {
    if (Object.hasOwn(PARAMETERS, key)) return { field, message: `cannot be changed; only ${MUTABLE.join(', ')} can` };
    const meant = nearest(key.slice(0, 256), MUTABLE);
    return { field, message: `is no known parameter${meant === undefined ? '' : `; did you mean ${meant}?`}` };
  }
  if (key !== 'profile' || PROFILE_NAMES.some((name) => name === value)) return undefined;
  return { field, message: `must be one of ${PROFILE_NAMES.join(', ')}` };
}

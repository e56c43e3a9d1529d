/** The share that a class asks for, with the names of a claim put into its folder. */
import type { Share } from '../../schemas/volume.ts';
import { AppError } from '../errors.ts';
import { isNfsOnly } from '../nfs/mount-options.ts';
import { type ClaimNames, expandSubDir } from '../nfs/sub-dir.ts';
import type { AskedAccess } from './access.ts';
import type { ClassWish } from './parameter-table.ts';

/** What of a call says for which claim the volume is. */
export interface ClaimOf {
  /** Name of the volume. */
  readonly name: string;
  /** With the names that external-provisioner tells. */
  readonly parameters: Readonly<Record<string, string>>;
}

const FIELDS = ['server', 'sharePath', 'subDir', 'onDelete', 'permissions'] as const;

export type ShareField = (typeof FIELDS)[number];

/** True for a class of engine nfs, also for one that says so by its server alone. */
export function isOfShare(wish: ClassWish): boolean {
  return wish.engine === 'nfs' || FIELDS.some((field) => wish[field] !== undefined);
}

/**
 * The share of a new volume: always a folder, for all claims of the class have the rest in common. Without a subDir it has the
 * name of the volume, as in csi-driver-nfs.
 *
 * @throws {AppError} invalid
 */
export function shareOf(wish: ClassWish, accesses: readonly AskedAccess[], claim: ClaimOf): Share {
  const { engine = 'nfs', server, sharePath, onDelete, permissions } = wish;
  const missing = [...(server === undefined ? ['server'] : []), ...(sharePath === undefined ? ['share'] : [])];
  if (engine !== 'nfs')
    throw misfit(`server, share, subDir, onDelete and mountPermissions go with engine nfs, not ${engine}`);
  if (server === undefined || sharePath === undefined)
    throw misfit(`engine nfs needs the parameter ${missing.join(' and ')}`);
  const subDir = wish.subDir === undefined ? claim.name : expandSubDir(wish.subDir, namesOf(claim));
  const mountOptions = [...new Set(accesses.flatMap((access) => access.flags.filter(isNfsOnly)))];
  return {
    ...{ server, path: sharePath, subDir },
    ...(onDelete === undefined ? {} : { onDelete }),
    ...(permissions === undefined ? {} : { permissions }),
    ...(mountOptions.length === 0 ? {} : { mountOptions }),
  };
}

function namesOf({ parameters }: ClaimOf): ClaimNames {
  const said = (key: string, as: keyof ClaimNames) => (parameters[key] === undefined ? {} : { [as]: parameters[key] });
  return {
    ...said('csi.storage.k8s.io/pvc/name', '${pvc.metadata.name}'),
    ...said('csi.storage.k8s.io/pvc/namespace', '${pvc.metadata.namespace}'),
    ...said('csi.storage.k8s.io/pv/name', '${pv.metadata.name}'),
  };
}

function misfit(message: string): AppError {
  return new AppError('invalid', message, { reason: 'InvalidParameters' });
}

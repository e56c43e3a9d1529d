/**
 * The folder of a share that a volume is. It is made of plain names only, so that no join with it leaves the share: names that
 * come from a claim are put into it first, and what comes out is judged.
 */
import { AppError } from '../errors.ts';

/** Names of Kubernetes objects that csi-driver-nfs puts into a subDir, by what stands for them there. */
export interface ClaimNames {
  readonly '${pvc.metadata.name}'?: string;
  readonly '${pvc.metadata.namespace}'?: string;
  readonly '${pv.metadata.name}'?: string;
}

/** What Holdfast keeps at the root of a share: whose each folder is, and folders on their way in and out. */
export const OWN_FOLDER = '.holdfast';

const MAX_PARTS = 8;
const MAX_PART = 200;
const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
/** RFC 1123 subdomain: what names of claims, namespaces and persistent volumes are. */
const OBJECT_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const MAX_OBJECT_NAME = 253;

/** Why a text is no folder of a share, or undefined when it is one. Property: sub-dir.prop.test.ts */
export function subDirFault(text: string): string | undefined {
  const parts = text.split('/');
  if (parts.length > MAX_PARTS) return `has more than ${MAX_PARTS} parts`;
  if (parts.some((part) => part.length > MAX_PART)) return `has a part of more than ${MAX_PART} characters`;
  if (parts.every((part) => PART.test(part))) return undefined;
  return 'must be names of letters, digits, "_", "-" and ".", with "/" between them, each beginning with a letter, a digit or "_"';
}

/**
 * Puts the names of a claim into a subDir, as csi-driver-nfs does.
 *
 * @param names - as the provisioner handed them over; looked at before they are used
 * @throws {AppError} invalid, for a name that is none, one that is not known, and a result that is no folder of a share
 */
export function expandSubDir(template: string, names: ClaimNames): string {
  const expanded = template.replaceAll(/\$\{[^}]*\}/g, (found) => nameFor(found, names));
  const fault = subDirFault(expanded);
  if (fault === undefined) return expanded;
  throw new AppError('invalid', `subDir ${shown(expanded)} ${fault}`, {
    reason: 'InvalidSubDir',
    hint: 'for example ${pvc.metadata.namespace}/${pvc.metadata.name}',
  });
}

function nameFor(found: string, names: ClaimNames): string {
  const known: Readonly<Record<string, string | undefined>> = { ...names };
  const name = Object.hasOwn(known, found) ? known[found] : undefined;
  if (name === undefined) {
    throw new AppError('invalid', `there is nothing to put in the place of ${shown(found)} in subDir`, {
      reason: 'InvalidSubDir',
      hint: 'known are ${pvc.metadata.name}, ${pvc.metadata.namespace} and ${pv.metadata.name}, which external-provisioner tells with --extra-create-metadata',
    });
  }
  if (name.length <= MAX_OBJECT_NAME && OBJECT_NAME.test(name)) return name;
  throw new AppError('invalid', `${shown(name)} in the place of ${found} is no name of a Kubernetes object`, {
    reason: 'InvalidSubDir',
  });
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

/** Flags that a mount of a local volume may have. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';

/**
 * Those of one mount that take something away from who uses it, or save writes. What would change the file system below for
 * all (errors=, nobarrier), its identity (nouuid, loop) or the reservation (discard) is not among them.
 */
const ALLOWED = ['nodev', 'nosuid', 'noexec', 'noatime', 'nodiratime', 'relatime'] as const;

/**
 * The flags of a mount, in a fixed order.
 *
 * @throws {AppError} invalid, for a flag that is not in the list
 */
export function mountFlags(wanted: readonly string[], isReadOnly: boolean): readonly string[] {
  for (const flag of wanted) {
    if (ALLOWED.some((allowed) => allowed === flag)) continue;
    const shown = JSON.stringify(flag.slice(0, 40));
    const meant = nearest(flag, ALLOWED);
    const hint =
      flag === 'discard' ? 'the space of a volume stays reserved for it' : `allowed are ${ALLOWED.join(', ')}`;
    throw new AppError('invalid', `mount option ${shown} is not allowed for a local volume`, {
      reason: 'MountOptionNotAllowed',
      hint: meant === undefined ? hint : `did you mean ${meant}? ${hint}`,
    });
  }
  return [...ALLOWED.filter((allowed) => wanted.includes(allowed)), ...(isReadOnly ? ['ro'] : [])];
}

/** Flags that a mount of a local volume may have. */
import { AppError } from '../../domain/errors.ts';
import { nearest } from '../../domain/nearest.ts';
import type { DesiredAttachment } from '../../ports/engine.ts';

/**
 * Those of one mount that take something away from who uses it, or save writes. What would change the file system below for
 * all (errors=, nobarrier) or its identity (nouuid, loop) is not among them.
 */
const ALLOWED = ['nodev', 'nosuid', 'noexec', 'noatime', 'nodiratime', 'relatime'] as const;
/** True of a thin volume already, whose file system was mounted so: a bind has no option of that. */
const DISCARD = 'discard';

/**
 * The flags of a mount, in a fixed order.
 *
 * @throws {AppError} invalid, for a flag that is not in the list
 */
export function mountFlags({
  mountOptions: wanted = [],
  isReadOnly,
  thinProvision: isThin = false,
}: Pick<DesiredAttachment, 'mountOptions' | 'isReadOnly' | 'thinProvision'>): readonly string[] {
  for (const flag of wanted) {
    if (ALLOWED.some((allowed) => allowed === flag) || (isThin && flag === DISCARD)) continue;
    const shown = JSON.stringify(flag.slice(0, 40));
    const meant = nearest(flag, ALLOWED);
    const hint =
      flag === DISCARD
        ? 'the space of the volume stays reserved for it; one that is made with thinProvision: true gives it back'
        : `allowed are ${ALLOWED.join(', ')}`;
    throw new AppError('invalid', `mount option ${shown} is not allowed for a local volume`, {
      reason: 'MountOptionNotAllowed',
      hint: meant === undefined ? hint : `did you mean ${meant}? ${hint}`,
    });
  }
  return [...ALLOWED.filter((allowed) => wanted.includes(allowed)), ...(isReadOnly ? ['ro'] : [])];
}

/** Options of a volume that encrypt the traffic between its bricks and those who use them. */
import type { DesiredVolume } from '../../ports/engine.ts';

const ON = { 'client.ssl': 'on', 'server.ssl': 'on' } as const;
const ALLOWED = 'auth.ssl-allow';

type Wish = Pick<DesiredVolume, 'encryptedFor'>;

/** Options that must hold; none where traffic is plain, or not ours to say. */
export function tlsOptions({ encryptedFor }: Wish): Readonly<Record<string, string>> {
  if (encryptedFor === undefined || encryptedFor === 'none') return {};
  return { ...ON, [ALLOWED]: encryptedFor.toSorted().join(',') };
}

/** Options of encryption that a volume has and is not to have. */
export function surplusTlsOptions(wish: Wish, found: Readonly<Record<string, string>>): readonly string[] {
  if (wish.encryptedFor !== 'none') return [];
  return [...Object.keys(ON), ALLOWED].filter((key) => found[key] !== undefined);
}

/** Whether the volume would have to be stopped for it: the list of nodes alone is obeyed while it is served. */
export function isOtherTraffic(wish: Wish, found: Readonly<Record<string, string>>): boolean {
  if (wish.encryptedFor === undefined) return false;
  return Object.keys(ON).some((key) => (found[key] === 'on') !== (wish.encryptedFor !== 'none'));
}

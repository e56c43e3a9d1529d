/** The option by which bricks refuse clients. Pure. Its reach is measured in docs/adr/0021. */
import type { DesiredVolume } from '../../ports/engine.ts';

/**
 * Goes before each permission (auth.allow, and the password that mounts and daemons of pool members have): the connections
 * of the addresses are broken off, and new ones refused. glusterd itself, and bricks among each other, are not concerned.
 */
export const REFUSED = 'auth.reject';

/** The addresses that a volume with these options refuses, sorted. */
export function refusedAddresses(options: Readonly<Record<string, string>>): readonly string[] {
  return (options[REFUSED] ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '')
    .toSorted();
}

/** The value that the option is to have; 'none' where it is to go, undefined where it stays as it is. */
export function refusalOption(
  { refusal }: Pick<DesiredVolume, 'refusal'>,
  found: Readonly<Record<string, string>>,
): string | undefined {
  if (refusal === undefined) return undefined;
  const before = refusedAddresses(found);
  const others = before.filter((address) => !refusal.known.includes(address));
  const wanted = [...new Set([...others, ...refusal.refused])].toSorted();
  if (wanted.join(',') === before.join(',')) return undefined;
  return wanted.length === 0 ? 'none' : wanted.join(',');
}

/** Which network a lab gets: the first 10.91.N.0/24 that touches nothing the machine already has. */
import { AppError } from '../../domain/errors.ts';
import type { LabNetwork } from '../../schemas/lab-record.ts';

const LAST = 254;

/**
 * @param inUse - networks and addresses of the machine, as "a.b.c.d/n" or "a.b.c.d"
 * @throws {AppError} capacity, when no network is free
 */
export function chooseNetwork(inUse: readonly string[], taken: readonly LabNetwork[]): LabNetwork {
  for (let index = 1; index <= LAST; index++) {
    const isTaken = taken.some((network) => network.index === index);
    if (isTaken || inUse.some((network) => overlaps(network, `10.91.${index}.0/24`))) continue;
    return { index, link: `hflab${index}`, gateway: `10.91.${index}.254` };
  }
  throw new AppError('capacity', 'none of the networks 10.91.1.0/24 to 10.91.254.0/24 is free on this machine', {
    reason: 'NoFreeNetwork',
    hint: 'see "ip route" for what uses them, and "holdfast lab status" for labs that can go',
  });
}

/** Address of the host at this place of a lab. */
export function hostAddress(network: LabNetwork, index: number): string {
  return network.gateway.replace(/\d+$/, String(index));
}

/** Two networks overlap when the shorter prefix is common to both. */
function overlaps(a: string, b: string): boolean {
  const [first, second] = [parse(a), parse(b)];
  const divisor = 2 ** (32 - Math.min(first.bits, second.bits));
  return Math.floor(first.address / divisor) === Math.floor(second.address / divisor);
}

function parse(network: string): { address: number; bits: number } {
  const [address = '', bits = '32'] = network.split('/');
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), bits: Number(bits) };
}

/**
 * Kismatic's rules for a new volume and its words for them, in its order (apprenda/kismatic, pkg/install/validate.go).
 */
import { labelFault } from '../names.ts';
import { readRegistration } from './persistent-volume.ts';

export interface KismaticWish {
  readonly name: string;
  /** Gigabytes, a whole number. */
  readonly sizeGb: number;
  readonly replicas: number;
  readonly distribution: number;
  readonly allow: readonly string[];
  readonly storageClass: string;
  readonly accessModes: readonly string[];
  readonly reclaimPolicy: string;
}

const NOT_ALLOWED = ': / \\ & < > |';
const OCTETS = /^[0-9*]{1,3}(?:\.[0-9*]{1,3}){3}$/;

/** Everything that is wrong with a wish, one sentence each. */
export function kismaticFaults(wish: KismaticWish): readonly string[] {
  const registration = readRegistration(wish);
  return [
    ...nameFaults(wish.name),
    ...(wish.sizeGb < 1 ? ['Volume size must be 1GB or larger'] : []),
    ...(wish.distribution < 1 ? ['Distribution count must be greater than zero'] : []),
    ...(wish.replicas < 1 ? ['Replication count must be greater than zero'] : []),
    ...wish.allow
      .filter((address) => !isKismaticAddress(address))
      .map((address) => `Invalid address ${JSON.stringify(address.slice(0, 60))} in the list of allowed addresses`),
    ...(registration.ok ? [] : registration.faults),
  ];
}

function nameFaults(name: string): readonly string[] {
  if (/[: /\\&<>|]/.test(name)) {
    return [`Volume name may not contain spaces or any of the following characters: ${JSON.stringify(NOT_ALLOWED)}`];
  }
  // Kismatic lets Kubernetes refuse the rest, after the volume was made.
  const fault = labelFault(name);
  return fault === undefined ? [] : [`Volume name ${JSON.stringify(name.slice(0, 63))} ${fault}`];
}

/** Four octets, each a number from 0 to 255 or an asterisk. */
function isKismaticAddress(address: string): boolean {
  return OCTETS.test(address) && address.split('.').every((octet) => octet === '*' || Number(octet) <= 255);
}

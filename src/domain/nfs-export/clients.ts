/**
 * Who may mount an NFS export. Kept as IPv4 addresses and networks only: a pattern such as 10.10.*.* is compared by
 * NFS-Ganesha also with the name that a client's address resolves to, which is up to whoever keeps that name.
 */

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ADDRESS = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const NETWORK = new RegExp(`^(${OCTET}(?:\\.${OCTET}){3})/(3[0-2]|[12]?\\d)$`);
/** Whole octets from the end: 10.10.*.* */
const PATTERN = new RegExp(`^((?:${OCTET}\\.){0,3})\\*(?:\\.\\*){0,3}$`);
const OCTETS = 4;

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Why a text is no client of an export as it is stored, or undefined when it is one. */
export function clientFault(text: string): string | undefined {
  if (ADDRESS.test(text)) return undefined;
  const [, address, bits] = NETWORK.exec(text) ?? [];
  if (address === undefined || bits === undefined)
    return 'must be an IPv4 address or network, such as 10.10.1.2 or 10.10.0.0/16';
  const { first } = networkRange(address, Number(bits));
  return first === toNumber(address) ? undefined : `is no network: the first address of it is ${toText(first)}`;
}

/**
 * A client as people write it: an address, a network, or whole octets left open at the end (10.10.*.*).
 *
 * @returns the client as it is stored, or undefined for what cannot be said as one
 */
export function readClient(text: string): string | undefined {
  const open = PATTERN.exec(text)?.[1];
  if (open !== undefined && text.split('.').length === OCTETS) {
    const given = open.split('.').slice(0, -1);
    return `${[...given, ...Array.from({ length: OCTETS - given.length }, () => '0')].join('.')}/${given.length * 8}`;
  }
  return clientFault(text) === undefined ? text : undefined;
}

/**
 * Clients that are not wholly among those allowed; several allowed ranges that touch count as one.
 *
 * @param clients - as stored
 * @param allowed - as people write them; what cannot be read (IPv6, patterns open in the middle) allows nobody here
 */
export function clientsBeyond(clients: readonly string[], allowed: readonly string[]): readonly string[] {
  const ranges = merge(allowed.flatMap((text) => rangeOf(readClient(text) ?? '') ?? []));
  return clients.filter((client) => {
    const range = rangeOf(client);
    return range === undefined || !ranges.some(({ first, last }) => first <= range.first && range.last <= last);
  });
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1) merged.push(range);
    else merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return merged;
}

function rangeOf(client: string): Range | undefined {
  if (clientFault(client) !== undefined) return undefined;
  const [address = '', bits = '32'] = client.split('/');
  return networkRange(address, Number(bits));
}

function networkRange(address: string, bits: number): Range {
  const size = 2 ** (32 - bits);
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

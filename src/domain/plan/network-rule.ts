/** The network between the storage nodes, where a plan names one: every node's address lies in it. */
import { asText, draftNodes, field } from './draft.ts';
import type { PlanFault } from './fault.ts';

/** Checks networks.storage. */
export function checkNetworks(plan: unknown): readonly PlanFault[] {
  const storage = asText(field({ path: [], value: plan }, 'networks', 'storage'));
  const network = storage && readNetwork(storage.value);
  if (storage === undefined || network === undefined) return [];
  return draftNodes(plan).flatMap((node): readonly PlanFault[] => {
    const address = asText(field(node, 'internalip')) ?? asText(field(node, 'ip'));
    const number = address && readAddress(address.value);
    // What is no IPv4 address is told by the field's own rule, unless it is one of IPv6, which lies in no such network.
    if (address === undefined || (number === undefined && !address.value.includes(':'))) return [];
    if (number !== undefined && Math.floor(number / network.size) === Math.floor(network.first / network.size))
      return [];
    const message = `${address.value} is not in the network of the storage nodes, ${storage.value}`;
    const fix = 'give the node an internalip in it, or correct networks.storage';
    return [{ path: address.path, at: 'value', message, fix, other: storage.path }];
  });
}

function readNetwork(text: string): { readonly first: number; readonly size: number } | undefined {
  const [address = '', bits = ''] = text.split('/');
  const first = readAddress(address);
  if (first === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  return { first, size: 2 ** (32 - Number(bits)) };
}

function readAddress(text: string): number | undefined {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return undefined;
  return text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

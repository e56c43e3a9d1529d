/** Rules over all the machines of a plan: counts, names and addresses. The words are Kismatic's where it has any. */
import { asText, type DraftItem, type DraftText, draftNodes, entries, field } from './draft.ts';
import type { PlanFault, PlanPath } from './fault.ts';
import { nodeNameOf } from './node-name.ts';

/** Checks the section storage. */
export function checkNodes(plan: unknown): readonly PlanFault[] {
  const nodes = draftNodes(plan);
  return [
    ...checkCount(plan, nodes),
    ...checkUnique(nodes, { name: 'host', word: 'hostname', canonical: (host) => host.toLowerCase() }),
    ...checkUnique(nodes, { name: 'ip', word: 'IP', canonical: canonicalAddress }),
    ...checkUnique(nodes, { name: 'internalip', word: 'internal IP', canonical: canonicalAddress }),
    ...checkNodeNames(nodes),
    ...checkMixedAddresses(nodes),
    ...nodes.flatMap(checkAddressKinds),
    ...nodes.flatMap(checkPools),
  ];
}

function checkCount(plan: unknown, nodes: readonly DraftItem[]): readonly PlanFault[] {
  const root = { path: [], value: plan };
  const expected = field(root, 'storage', 'expected_count');
  const count = expected.value ?? 0;
  const list = field(root, 'storage', 'nodes').value;
  const isList = list === undefined || Array.isArray(list);
  // What is no count at all is told by the schema.
  if (!isCount(count) || !isList || count === nodes.length) return [];
  return [
    {
      path: expected.path,
      at: 'value',
      message: `Expected node count (${count}) does not match the number of nodes provided (${nodes.length})`,
      fix: `set expected_count: ${nodes.length}, or correct the list of nodes`,
    },
  ];
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

interface UniqueField {
  readonly name: string;
  readonly word: string;
  readonly canonical: (text: string) => string;
}

function checkUnique(nodes: readonly DraftItem[], unique: UniqueField): readonly PlanFault[] {
  const first = new Map<string, { readonly path: PlanPath; readonly number: number }>();
  const faults: PlanFault[] = [];
  for (const [index, node] of nodes.entries()) {
    const text = asText(field(node, unique.name));
    if (text === undefined) continue;
    const earlier = first.get(unique.canonical(text.value));
    if (earlier === undefined) {
      first.set(unique.canonical(text.value), { path: text.path, number: index + 1 });
      continue;
    }
    faults.push({
      path: text.path,
      at: 'value',
      message: `Node #${index + 1} has the same ${unique.word} ${JSON.stringify(text.value)} as node #${earlier.number}`,
      fix: `give each node its own ${unique.name}`,
      other: earlier.path,
    });
  }
  return faults;
}

/** Two hosts of different domains can shorten to the same name. */
function checkNodeNames(nodes: readonly DraftItem[]): readonly PlanFault[] {
  const first = new Map<string, DraftText>();
  const faults: PlanFault[] = [];
  for (const host of nodes.flatMap((node) => asText(field(node, 'host')) ?? [])) {
    const name = nodeNameOf(host.value);
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, host);
    else if (earlier.value.toLowerCase() !== host.value.toLowerCase()) {
      faults.push({
        path: host.path,
        at: 'value',
        message: `${host.value} and ${earlier.value} would both be the node ${name}`,
        fix: 'a node is named by its host name up to the first dot; make these differ',
        other: earlier.path,
      });
    }
  }
  return faults;
}

/** One machine's ip must not be another machine's internalip. */
function checkMixedAddresses(nodes: readonly DraftItem[]): readonly PlanFault[] {
  const byIp = new Map<string, { readonly path: PlanPath; readonly index: number }>();
  for (const [index, node] of nodes.entries()) {
    const ip = asText(field(node, 'ip'));
    if (ip !== undefined && !byIp.has(canonicalAddress(ip.value))) {
      byIp.set(canonicalAddress(ip.value), { path: ip.path, index });
    }
  }
  return nodes.flatMap((node, index): readonly PlanFault[] => {
    const internal = asText(field(node, 'internalip'));
    const ip = asText(field(node, 'ip'));
    if (internal === undefined || internal.value === ip?.value) return [];
    const owner = byIp.get(canonicalAddress(internal.value));
    if (owner === undefined || owner.index === index) return [];
    return [
      {
        path: internal.path,
        at: 'value',
        message: `Node #${index + 1} has the internal IP ${JSON.stringify(internal.value)}, which is the IP of node #${owner.index + 1}`,
        fix: 'correct one of the two',
        other: owner.path,
      },
    ];
  });
}

const NOT_A_MACHINE: readonly (readonly [RegExp, string])[] = [
  [/^(?:127\.|\[?::1\]?$)/, 'a loopback address: every machine has it'],
  [/^(?:0\.|\[?::\]?$)/, 'the unspecified address'],
  [/^(?:22[4-9]\.|23\d\.|\[?ff[0-9a-f]{2}:)/i, 'a multicast address'],
  [/^255\.255\.255\.255$/, 'the broadcast address'],
];

function checkAddressKinds(node: DraftItem): readonly PlanFault[] {
  return ['ip', 'internalip'].flatMap((name): readonly PlanFault[] => {
    const text = asText(field(node, name));
    const kind = text && NOT_A_MACHINE.find(([pattern]) => pattern.test(canonicalAddress(text.value)))?.[1];
    if (text === undefined || kind === undefined) return [];
    return [
      { path: text.path, at: 'value', message: `${text.value} is ${kind}`, fix: 'write the address of the machine' },
    ];
  });
}

function checkPools(node: DraftItem): readonly PlanFault[] {
  const pools = entries(field(node, 'pools'));
  return (['name', 'path', 'device'] as const).flatMap((name) => {
    const first = new Map<string, PlanPath>();
    return pools.flatMap((pool): readonly PlanFault[] => {
      const text = asText(field(pool, name));
      const earlier = text && first.get(text.value);
      if (text === undefined) return [];
      if (earlier === undefined) {
        first.set(text.value, text.path);
        return [];
      }
      const message = `two pools of the same node have the ${name} ${JSON.stringify(text.value)}`;
      return [{ path: text.path, at: 'value', message, fix: `give each pool its own ${name}`, other: earlier }];
    });
  });
}

/** One spelling per address; IPv6 has many. */
function canonicalAddress(text: string): string {
  if (!text.includes(':')) return text;
  try {
    return new URL(`http://[${text}]/`).hostname;
  } catch {
    // No address at all: the field's own rule says so.
    return text;
  }
}

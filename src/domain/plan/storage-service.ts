/**
 * The Service `kismatic-storage`, under which Kismatic's clusters know their storage nodes, and the addresses behind it.
 * Ports as in apprenda/kismatic, ansible/roles/glusterfs-k8s/templates/gluster-service.yaml. Pure.
 */
import type { EndpointSlice, Namespace, Service } from '../../schemas/kubernetes.ts';
import type { StorageNode } from '../../schemas/storage-node.ts';
import type { Fault } from '../errors.ts';
import type { ResolvedPlan } from './resolve-plan.ts';

export const STORAGE_SERVICE = 'kismatic-storage';
export const STORAGE_SERVICE_NAMESPACE = 'kube-system';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const PORTS = [
  { name: 'rpcbind', port: 111 },
  { name: 'nfs', port: 2049 },
  ...[38465, 38466, 38468, 38469].map((port) => ({ name: `gluster-nfs-${port}`, port })),
];

/** One object of the Service, to be written or to be left alone. */
export type ServiceWrite = {
  readonly kind: 'Namespace' | 'Service' | 'EndpointSlice';
  readonly name: string;
  /** For namespaced kinds. */
  readonly namespace?: string;
} & (
  | { readonly action: 'unchanged' }
  | { readonly action: 'create'; readonly object: { readonly metadata: Record<string, unknown> & { name: string } } }
  | {
      readonly action: 'update';
      readonly patch: Readonly<Record<string, unknown>>;
      readonly resourceVersion: string | undefined;
    }
);

export interface StoredServiceObjects {
  readonly nodes: readonly StorageNode[];
  readonly namespaces: readonly Namespace[];
  /** Those of {@link STORAGE_SERVICE_NAMESPACE}. */
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
}

/** What must be written so that the Service stands and leads to every storage node, stored or of the plan. */
export function diffStorageService(
  plan: Pick<ResolvedPlan, 'nodes'>,
  stored: StoredServiceObjects,
): { readonly writes: readonly ServiceWrite[]; readonly conflicts: readonly Fault[] } {
  const addresses = addressesOf(plan, stored.nodes);
  const service = stored.services.find(({ metadata }) => metadata.name === STORAGE_SERVICE);
  if (addresses.length === 0) return { writes: [], conflicts: [] };
  const writes = [
    diffNamespace(stored.namespaces),
    diffService(service),
    diffSlice('IPv4', addresses, stored.slices),
    diffSlice('IPv6', addresses, stored.slices),
  ];
  return { writes: writes.flatMap((write) => write ?? []), conflicts: conflictsOf(service) };
}

/** Kismatic's own Service has a selector, behind which its pods stand: it is taken over only when somebody says so. */
function conflictsOf(service: Service | undefined): readonly Fault[] {
  if (service === undefined || service.metadata.labels?.[MANAGED_BY] === 'holdfast') return [];
  const message =
    `exists and was not made by Holdfast; delete it, or let Holdfast take it over: ` +
    `kubectl -n ${STORAGE_SERVICE_NAMESPACE} label service ${STORAGE_SERVICE} ${MANAGED_BY}=holdfast --overwrite`;
  return [{ field: `service ${STORAGE_SERVICE_NAMESPACE}/${STORAGE_SERVICE}`, message }];
}

/** The address between nodes where there is one; the plan's word counts more than what is stored. */
function addressesOf(plan: Pick<ResolvedPlan, 'nodes'>, nodes: readonly StorageNode[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const { metadata, spec } of nodes) {
    if (metadata.deletionTimestamp !== undefined) continue;
    byName.set(metadata.name ?? '', spec.addresses.internalIp ?? spec.addresses.ip);
  }
  for (const node of plan.nodes) byName.set(node.name, node.internalIp ?? node.ip);
  return [...new Set(byName.values())].toSorted();
}

function diffNamespace(namespaces: readonly Namespace[]): ServiceWrite | undefined {
  // A cluster has it; the embedded API has only what was made there. Nothing is worth a line when it is there.
  if (namespaces.some(({ metadata }) => metadata.name === STORAGE_SERVICE_NAMESPACE)) return undefined;
  const object = { metadata: { name: STORAGE_SERVICE_NAMESPACE } };
  return { kind: 'Namespace', name: STORAGE_SERVICE_NAMESPACE, action: 'create', object };
}

function diffService(existing: Service | undefined): ServiceWrite {
  const id = { kind: 'Service', name: STORAGE_SERVICE, namespace: STORAGE_SERVICE_NAMESPACE } as const;
  if (existing === undefined) {
    const metadata = { name: STORAGE_SERVICE, labels: { [MANAGED_BY]: 'holdfast' } };
    const object = { metadata, spec: { ports: PORTS.map((port) => ({ ...port, protocol: 'TCP' })) } };
    return { ...id, action: 'create', object };
  }
  const hasSelector = Object.keys(existing.spec.selector ?? {}).length > 0;
  if (!hasSelector && hasPorts(existing.spec.ports)) return { ...id, action: 'unchanged' };
  const patch = { spec: { selector: null, ports: PORTS.map((port) => ({ ...port, protocol: 'TCP' })) } };
  return { ...id, action: 'update', patch, resourceVersion: existing.metadata.resourceVersion };
}

/** One EndpointSlice holds addresses of one family. */
function diffSlice(
  addressType: 'IPv4' | 'IPv6',
  all: readonly string[],
  slices: readonly EndpointSlice[],
): ServiceWrite | undefined {
  const addresses = all.filter((address) => address.includes(':') === (addressType === 'IPv6'));
  const name = `${STORAGE_SERVICE}-${addressType.toLowerCase()}`;
  const id = { kind: 'EndpointSlice', name, namespace: STORAGE_SERVICE_NAMESPACE } as const;
  const existing = slices.find(({ metadata }) => metadata.name === name);
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  const ports = PORTS.map((port) => ({ ...port, protocol: 'TCP' }));
  if (existing === undefined) {
    if (addresses.length === 0) return undefined;
    const labels = {
      'kubernetes.io/service-name': STORAGE_SERVICE,
      'endpointslice.kubernetes.io/managed-by': 'holdfast.dev',
      [MANAGED_BY]: 'holdfast',
    };
    return { ...id, action: 'create', object: { metadata: { name, labels }, ...{ addressType, endpoints, ports } } };
  }
  const had = existing.endpoints.flatMap((endpoint) => endpoint.addresses).toSorted();
  if (had.join() === addresses.join() && hasPorts(existing.ports)) return { ...id, action: 'unchanged' };
  return { ...id, action: 'update', patch: { endpoints, ports }, resourceVersion: existing.metadata.resourceVersion };
}

/** The server adds to ports what it likes; name and number are what counts. */
function hasPorts(ports: readonly { readonly name?: unknown; readonly port?: unknown }[] | undefined): boolean {
  const text = (list: readonly { readonly name?: unknown; readonly port?: unknown }[]) =>
    list.map(({ name, port }) => `${String(name)}:${String(port)}`).join();
  return text(ports ?? []) === text(PORTS);
}

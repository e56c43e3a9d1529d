/**
 * Claims on a real Kubernetes with three nodes on this machine: from a claim to Bound and from a pod to Running, for local volumes
 * and for such with three copies; beside each what Kubernetes takes by itself, a claim that is bound to what is there and a pod
 * without a volume. Then a hundred claims at once.
 */
import type { KindName } from '../src/schemas/kinds.ts';
import { type Cluster, startCluster } from '../test/k8s/cluster.ts';
import { runHoldfast } from '../test/k8s/holdfast.ts';
import { claim, pod, storageClass } from '../test/k8s/manifests.ts';
import type { Measurement } from './index.ts';
import { median } from './lab/bench-lab.ts';

const ROUNDS = 7;
const AT_ONCE = 100;
const SIZE = '128Mi';
/** Sparse: room for a hundred volumes with three copies. */
const DATA_DISK_BYTES = 200 * 1024 ** 3;
const PATIENCE_MS = 10 * 60_000;
const LOOK_MS = 500;

const ENGINES = [
  { name: 'local', parameters: { engine: 'local' }, accessMode: 'ReadWriteOnce', crowd: 'much less than 120 s' },
  { name: 'gluster', parameters: { engine: 'gluster' }, accessMode: 'ReadWriteMany', crowd: '<= 120 s' },
] as const;
type Engine = (typeof ENGINES)[number];

/** Local first: what GlusterFS has started stays, and takes its share of the machine. */
export async function run(): Promise<readonly Measurement[]> {
  const cluster = await startCluster({ name: 'benchk8s', nodes: 3, dataDiskBytes: DATA_DISK_BYTES });
  try {
    await runHoldfast(cluster);
    const found: Measurement[] = [];
    for (const engine of ENGINES) {
      // A class that does not wait for the pod: both ways are measured one after the other.
      await cluster.kubectl.apply(storageClass(engine));
      found.push(...(await measureSingle(cluster, engine)));
    }
    for (const engine of ENGINES) found.push(await measureCrowd(cluster, engine));
    return found;
  } finally {
    await cluster.remove();
  }
}

async function measureSingle(cluster: Cluster, engine: Engine): Promise<readonly Measurement[]> {
  const times: Record<'bound' | 'running' | 'boundAlone' | 'runningAlone', number[]> = {
    ...{ bound: [], running: [], boundAlone: [], runningAlone: [] },
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    const name = `${engine.name}-${round}`;
    const alone = `alone-${name}`;
    const wish = { size: SIZE, accessMode: engine.accessMode };
    const bound = await timed(cluster, claim({ ...wish, name, storageClass: engine.name }), boundAre([name]));
    const running = await timed(cluster, pod({ name, claim: name, script: 'sleep 600' }), runningAre([name]));
    await cluster.kubectl.apply(hostPathVolume(alone));
    const boundAlone = await timed(cluster, claim({ ...wish, name: alone, storageClass: alone }), boundAre([alone]));
    const runningAlone = await timed(cluster, podWithout(alone), runningAre([alone]));
    await cluster.kubectl.run('delete', `pod/${name}`, `pod/${alone}`, `pvc/${name}`, `pvc/${alone}`, `pv/${alone}`);
    // The first loads programs and starts daemons.
    if (round === 0) continue;
    for (const [key, value] of Object.entries({ bound, running, boundAlone, runningAlone })) {
      times[key as keyof typeof times].push(value);
    }
  }
  const line = (what: string, values: readonly number[]) => ({ what, value: median(values), unit: 'ms' });
  return [
    line(`${engine.name}: claim to Bound, p50`, times.bound),
    line(`${engine.name}: a claim of what is there to Bound, p50`, times.boundAlone),
    line(`${engine.name}: pod to Running, p50`, times.running),
    line(`${engine.name}: a pod without it to Running, p50`, times.runningAlone),
  ];
}

async function measureCrowd(cluster: Cluster, engine: Engine): Promise<Measurement> {
  const names = Array.from({ length: AT_ONCE }, (_, at) => `crowd-${engine.name}-${at}`);
  const { accessMode, crowd: budget } = engine;
  const claims = names.map((name) => claim({ name, size: SIZE, accessMode, storageClass: engine.name }));
  const ms = await timed(cluster, { apiVersion: 'v1', kind: 'List', items: claims }, boundAre(names));
  await cluster.kubectl.run('delete', ...names.map((name) => `pvc/${name}`));
  const left = async () => (await cluster.client.list('PersistentVolume')).items.length;
  // What is still being deleted would be in the way of the next crowd.
  for (const end = performance.now() + PATIENCE_MS; (await left()) > 0; await cluster.composed.clock.sleep(LOOK_MS)) {
    if (performance.now() > end) throw new Error(`volumes of ${engine.name} were not deleted in time`);
  }
  return { what: `${engine.name}: ${AT_ONCE} claims at once, all Bound`, value: ms / 1000, unit: 's', budget };
}

interface Wanted {
  readonly kind: KindName;
  readonly phase: string;
  readonly names: readonly string[];
}

const boundAre = (names: readonly string[]): Wanted => ({ kind: 'PersistentVolumeClaim', phase: 'Bound', names });
const runningAre = (names: readonly string[]): Wanted => ({ kind: 'Pod', phase: 'Running', names });

/** From the call of kubectl that creates an object until the last of what is wanted has its phase. */
async function timed({ client, kubectl }: Cluster, object: object, wanted: Wanted): Promise<number> {
  const { kind, phase, names } = wanted;
  const scope = { namespace: 'default', signal: AbortSignal.timeout(PATIENCE_MS) };
  const { resourceVersion } = await client.list(kind, scope);
  const missing = new Set(names);
  let lastAt = Number.NaN;
  const watching = (async () => {
    for await (const event of client.watch(kind, { ...scope, resourceVersion })) {
      if (event.type === 'BOOKMARK') continue;
      const { metadata, status } = event.object as { metadata: { name: string }; status?: { phase?: string } };
      if (status?.phase === phase && missing.delete(metadata.name)) lastAt = performance.now();
      if (missing.size === 0) return;
    }
    throw new Error(`${missing.size} of ${names.length} did not become ${phase} in time`);
  })();
  const start = performance.now();
  await Promise.all([kubectl.apply(object), watching]);
  return lastAt - start;
}

/** For a claim of the class of its name, and no other. */
function hostPathVolume(name: string): object {
  const accessModes = ['ReadWriteOnce', 'ReadWriteMany'];
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
    spec: { capacity: { storage: SIZE }, accessModes, storageClassName: name, hostPath: { path: '/tmp' } },
  };
}

function podWithout(name: string): object {
  const { spec, ...rest } = pod({ name, claim: name, script: 'sleep 600' }) as {
    readonly spec: { readonly containers: readonly object[] };
  };
  const containers = spec.containers.map((each) => ({ ...each, volumeMounts: [] }));
  return { ...rest, spec: { ...spec, containers, volumes: [] } };
}

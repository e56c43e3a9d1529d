/**
 * Claims on a real Kubernetes of this machine, with three nodes: from claim to bound and to a running pod, beside a pod without a
 * volume and a claim for a folder that was made by hand; and a hundred claims at once, with sidecars that ask the
 * API server as often as they do by themselves and as often as the chart lets them.
 */

import { startSidecars } from '../test/k8s/holdfast.ts';
import { IMAGE } from '../test/k8s/image.ts';
import { claim, pod, storageClass } from '../test/k8s/manifests.ts';
import { SIDECAR_NAMES } from '../tools/deploy/values.ts';
import type { Measurement } from './index.ts';
import { median } from './lab/bench-lab.ts';
import { type Bench, CONTROLLER, createAll, NAMESPACE, removeAll, untilPhase, withCluster } from './lab/k8s-cluster.ts';

const AT_ONCE = 100;
const ROUNDS = 5;
const BY_HAND = 'by-hand';
const NO_VOLUME = 'none';
const SIZE = '128Mi';
const BOUND = { kind: 'PersistentVolumeClaim', phase: 'Bound' } as const;
const BUDGET_AT_ONCE = '<= 120 s';

interface Kind {
  readonly name: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of what CSI has to do of it, from CreateVolume to the path of the pod. */
  readonly budget?: string;
}

const KINDS: readonly Kind[] = [
  { name: NO_VOLUME },
  { name: BY_HAND },
  { name: 'local', parameters: { engine: 'local' }, budget: '<= 0.3 s in CSI' },
  { name: 'gluster', parameters: { engine: 'gluster', replicas: '3' }, budget: '<= 4 s in CSI' },
];
const OURS = KINDS.filter(({ parameters }) => parameters !== undefined);

export function run(): AsyncGenerator<Measurement> {
  return withCluster(async function* (bench) {
    await bench.kubectl.apply(...OURS.map(({ name, parameters = {} }) => storageClass({ name, parameters })));
    yield* await measureLives(bench);
    yield atOnce('bound to volumes made by hand', await crowd(bench, BY_HAND, 'hand'));
    // As their makers have them: nothing is said.
    await restartSidecars(bench, []);
    const before = await crowd(bench, 'local', 'before');
    yield atOnce('local, bound, sidecars as they come', before);
    await restartSidecars(bench);
    const after = await crowd(bench, 'local', 'after');
    yield atOnce('local, bound', after, BUDGET_AT_ONCE);
    yield { what: 'local, bound: as the chart has them / as they come', value: after / before, unit: 'times' };
    yield atOnce('gluster, bound', await crowd(bench, 'gluster', 'gluster'), BUDGET_AT_ONCE);
  });
}

function atOnce(what: string, value: number, budget?: string): Measurement {
  return { what: `${AT_ONCE} at once: ${what}`, value, unit: 's', ...(budget === undefined ? {} : { budget }) };
}

/** Seconds of each kind, by what they lead to. */
interface Times {
  readonly bound: number[];
  readonly running: number[];
}

/** In turn, so that whatever else the machine does meets all alike. The first round is not counted: it starts daemons. */
async function measureLives(bench: Bench): Promise<readonly Measurement[]> {
  const times = new Map<string, Times>(KINDS.map(({ name }) => [name, { bound: [], running: [] }]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { name } of KINDS) {
      const one = await live(bench, name, `${name}-${round}`);
      if (round === 0) continue;
      if (one.bound !== undefined) times.get(name)?.bound.push(one.bound);
      times.get(name)?.running.push(one.running);
    }
  }
  const p50 = (name: string, what: keyof Times) => median(times.get(name)?.[what] ?? []);
  return KINDS.flatMap(({ name, budget }): readonly Measurement[] => {
    const running = p50(name, 'running');
    const ratio = { value: running / p50(NO_VOLUME, 'running'), unit: 'times' };
    if (name === NO_VOLUME) return [{ what: 'pod without a volume to running, p50', value: running, unit: 's' }];
    return [
      { what: `${name}: claim to bound, p50`, value: p50(name, 'bound'), unit: 's' },
      {
        what: `${name}: claim to running pod, p50`,
        value: running,
        unit: 's',
        ...(budget === undefined ? {} : { budget }),
      },
      { what: `${name}: claim to running pod / pod without a volume`, ...ratio },
    ];
  });
}

/** A claim and its pod, made at the same moment, and removed. @returns seconds */
async function live(
  bench: Bench,
  kind: string,
  name: string,
): Promise<{ readonly bound?: number; readonly running: number }> {
  if (kind === BY_HAND) await bench.kubectl.apply(volumeByHand(name));
  const pods = [kind === NO_VOLUME ? plainPod(name) : pod({ name, claim: name, script: 'sleep 3600' })];
  const claims = kind === NO_VOLUME ? [] : [claim({ name, storageClass: kind, size: SIZE })];
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const [toRunning, toBound] = await Promise.all([
    untilPhase(bench, { kind: 'Pod', phase: 'Running', count: 1 }).then(seconds),
    claims.length === 0 ? undefined : untilPhase(bench, { ...BOUND, count: 1 }).then(seconds),
    createAll(bench, 'PersistentVolumeClaim', claims),
    createAll(bench, 'Pod', pods),
  ]);
  await removeAll(bench, 'pods', 'pvc', 'pv');
  return { running: toRunning, ...(toBound === undefined ? {} : { bound: toBound }) };
}

/** Makes the claims, and removes them only with the cluster. @returns seconds until all are bound */
async function crowd(bench: Bench, kind: string, prefix: string): Promise<number> {
  const names = Array.from({ length: AT_ONCE }, (_, at) => `${prefix}-${at}`);
  if (kind === BY_HAND) await bench.kubectl.apply(...names.map(volumeByHand));
  const labels = { crowd: prefix };
  const claims = names.map((name) => {
    const made = claim({ name, storageClass: kind, size: SIZE }) as { readonly metadata: object };
    return { ...made, metadata: { ...made.metadata, labels } };
  });
  const start = performance.now();
  await Promise.all([
    untilPhase(bench, { ...BOUND, count: AT_ONCE, crowd: prefix }),
    createAll(bench, 'PersistentVolumeClaim', claims),
  ]);
  return (performance.now() - start) / 1000;
}

async function restartSidecars({ cluster }: Bench, ...rates: readonly [(readonly string[])?]): Promise<void> {
  const { machineDaemons } = await cluster.lab.record();
  for (const name of SIDECAR_NAMES) {
    const daemon = machineDaemons[name];
    if (daemon !== undefined) await cluster.composed.machine.processes.stop(daemon, { graceMs: 1000 });
  }
  await startSidecars(cluster, CONTROLLER, ...rates);
}

function volumeByHand(name: string): object {
  return {
    ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
    spec: {
      ...{ capacity: { storage: SIZE }, accessModes: ['ReadWriteOnce'], storageClassName: BY_HAND },
      ...{ hostPath: { path: '/tmp' }, claimRef: { namespace: NAMESPACE, name } },
    },
  };
}

function plainPod(name: string): object {
  const container = { name: 'main', image: IMAGE, imagePullPolicy: 'Never', command: ['sleep', '3600'] };
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: {
      ...{ restartPolicy: 'Never', terminationGracePeriodSeconds: 0, automountServiceAccountToken: false },
      ...{ dnsPolicy: 'Default', containers: [container] },
    },
  };
}

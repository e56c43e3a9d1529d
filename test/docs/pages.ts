/**
 * What each page of the documentation takes for granted when its commands are run, and which lines are not run here, with
 * the reason. A line that is in neither way accounted for fails the test, and so does a remark about a line that is gone.
 */
import type { PlanVolume } from '../../src/schemas/plan-file.ts';

export interface PageRun {
  /** Volumes that the page speaks of; those without a mount are mounted nowhere. */
  readonly volumes?: readonly PlanVolume[];
  /** Exit codes that the page leads to; 0 for all others. */
  readonly codes?: Readonly<Record<string, number>>;
  /** Files of the page, by name; PLAN stands for the plan of the lab. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files that a person fills in after the line that makes them. */
  readonly filled?: Readonly<Record<string, string>>;
  /** Lines that are not run here, and where what they do is shown or why it cannot be. */
  readonly notRun?: Readonly<Record<string, string>>;
}

/** Where a file has this text, the plan of the lab as `plan export` writes it is put. */
export const PLAN = '<the plan of this lab>';

const volume = (name: string, more: Partial<PlanVolume> = {}): PlanVolume => ({
  ...{ name, size: '1Gi', layout: 'replicated', replicas: 3 },
  ...more,
});
const mounted = (path: string) => ({ mount: { path, nodes: 'all' as const } });

/** The file that the page shows. */
const VOLUME = `apiVersion: holdfast.dev/v1alpha1
kind: Volume
metadata:
  name: gv1
spec:
  size: 1Gi
  layout: arbiter
`;

const MACHINES = 'needs machines with sshd; test/engine/install.test.ts runs it';
const LAYOUTS = 'test/engine/layouts.test.ts makes each of them';
const SPLIT = 'needs a volume that has diverged; test/engine/tasks.test.ts runs it';
const LEDGER = 'goes on until it is stopped; test/contract/ledger-writer.test.ts runs it';
const LAB = 'makes a lab of its own; test/engine/lab-cli.test.ts runs it';
const NFS = 'needs a file server, and a kernel with an NFS client; test/sim/nfs.test.ts makes such volumes';
const CSI = 'makes a lab of its own; test/engine/csi.test.ts runs it';
const LINT = 'needs manifests; src/usecases/manifests/documents.test.ts corrects those of the documents';
const KUBECTL =
  'needs a Kubernetes cluster; test/k8s/documents.test.ts calls the plugin, and adopts a PersistentVolume';
const CLAIM = 'needs a Kubernetes cluster; test/k8s/controller.test.ts runs it';
const LOST = 'needs a machine or a disk that is lost; test/engine/verbs-interrupted.test.ts runs it';
const ADOPT = 'needs a pool that others made; test/engine/adopt.test.ts runs it';
const TLS = 'stops all volumes; test/engine/tls.test.ts runs it';
const FENCE = 'cuts a node off; test/engine/product-faults.test.ts runs it';
const REJOIN = 'needs a machine that was installed anew; test/engine/rejoin.test.ts runs it';

const all = (lines: readonly string[], reason: string) => Object.fromEntries(lines.map((line) => [line, reason]));

export const PAGES: Readonly<Record<string, PageRun>> = {
  'README.md': {
    notRun: all(['npm ci', 'npm run demo'], 'test/engine/demo.test.ts runs the demo; npm ci made this possible'),
  },
  'docs/tutorial/demo.md': {
    volumes: [volume('gv0')],
    notRun: all(['npm ci', 'npm run demo -- --keep'], 'test/engine/demo.test.ts runs it'),
  },
  'docs/how-to/explain-a-volume.md': {
    volumes: [volume('gv0')],
    // It does not fit: the lab has no pool "fast".
    codes: { 'holdfast explain placement --size 20Gi --layout arbiter --zones east,west --pool fast': 6 },
    notRun: all(['holdfast explain claim shop/cart'], CLAIM),
  },
  'docs/how-to/simulate.md': { volumes: [volume('gv0')] },
  'docs/how-to/grow-a-volume.md': { volumes: [volume('gv0')] },
  'docs/how-to/choose-a-profile.md': {
    volumes: [volume('gv0', mounted('/data'))],
    files: { 'plan.yaml': PLAN },
  },
  'docs/how-to/convert-a-volume.md': { volumes: [volume('data1', { layout: 'arbiter', replicas: 2 })] },
  'docs/how-to/drain-or-replace-a-node.md': {
    volumes: [volume('gv0')],
    notRun: all(['holdfast node replace kube2'], LOST),
  },
  'docs/how-to/heal-and-rebalance.md': {
    volumes: [volume('gv0', { layout: 'distributed-replicated', distribution: 2 })],
  },
  'docs/how-to/snapshot-clone-restore.md': { volumes: [volume('gv0')] },
  'docs/how-to/export-a-volume-over-nfs.md': { volumes: [volume('gv0')] },
  'docs/how-to/local-volumes.md': {},
  'docs/how-to/encrypt-volumes.md': {},
  'docs/how-to/plans.md': {
    volumes: [volume('gv0')],
    filled: { 'holdfast plan new -f holdfast.yaml': 'holdfast.yaml' },
  },
  'docs/how-to/use-kubectl.md': {
    volumes: [volume('gv0')],
    files: { 'volume.yaml': VOLUME },
    notRun: all(
      ['kubectl get volumes -w'],
      'goes on until it is stopped; test/contract/kube-api-kubectl.test.ts runs it',
    ),
  },
  'docs/how-to/when-something-is-wrong.md': { volumes: [volume('gv0')] },
  'docs/how-to/kismatic.md': {
    files: { 'kismatic-cluster.yaml': PLAN },
    notRun: all(['kismatic install step _storage.yaml', 'kismatic install add-node storage4 192.0.2.4'], MACHINES),
  },
};

/** Pages none of whose lines is run here. */
export const PAGES_NOT_RUN: Readonly<Record<string, string>> = {
  'docs/how-to/install-over-ssh.md': MACHINES,
  'docs/how-to/resolve-split-brain.md': SPLIT,
  'docs/how-to/check-a-storage.md': LEDGER,
  'docs/how-to/run-a-lab.md': LAB,
  'docs/how-to/install-on-kubernetes.md': 'needs a Kubernetes; test/k8s/install.test.ts does what it tells',
  'docs/how-to/run-pods-near-their-data.md': 'needs a Kubernetes; test/k8s/locality.test.ts does what it tells',
  'docs/how-to/watch-with-prometheus.md':
    'needs a Prometheus or a Kubernetes; test/engine/csi.test.ts and test/k8s/install.test.ts ask what it tells',
  'docs/how-to/use-csi.md': CSI,
  'docs/how-to/lint-manifests.md': LINT,
  'docs/how-to/import-classes.md': LINT,
  'docs/how-to/kubectl-plugin.md': KUBECTL,
  'docs/how-to/adopt-a-persistent-volume.md': KUBECTL,
  'docs/how-to/nfs-volumes.md': NFS,
  'docs/how-to/replace-a-disk.md': LOST,
  'docs/how-to/adopt-a-pool.md': ADOPT,
  'docs/how-to/choose-a-layout.md': LAYOUTS,
  'docs/how-to/encrypt-storage-traffic.md': TLS,
  'docs/how-to/fence-a-node.md': FENCE,
  'docs/how-to/rejoin-a-reinstalled-node.md': REJOIN,
};

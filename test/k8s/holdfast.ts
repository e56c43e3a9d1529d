/** Holdfast on the cluster, as processes: two controllers with a driver each beside the sidecars, and an agent in each host. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { LAB_DATA_DISK, LAB_NODE, LAB_PACKAGE_FOLDER } from '../../src/ports/lab.ts';
import { SYSTEM_NAMESPACE } from '../../src/schemas/kinds.ts';
import { DRIVER_NAME } from '../../src/shells/csi/identity.ts';
import { CONTROLLERS, NODES } from '../../src/shells/kube-api/authorize.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { SIDECARS } from '../../tools/deploy/rbac.ts';
import { defaultValues, type SidecarName } from '../../tools/deploy/values.ts';
import { rateFlags, timeoutFlag } from '../../tools/deploy/workloads.ts';
import type { Cluster } from './cluster.ts';
import { flags } from './control-plane.ts';

const NODE_SOCKET = '/run/holdfast/csi.sock';
const KUBECONFIG = '/etc/holdfast/node.kubeconfig';

const DEPLOY = join(import.meta.dirname, '../../deploy');
/** Of the module that the sidecars are built from. */
const SNAPSHOT_KINDS = ['volumesnapshotclasses', 'volumesnapshotcontents', 'volumesnapshots'];
const START_MS = 60_000;
const POLL_MS = 100;
const COMMAND_MS = 120_000;

/** Installs and starts all of it, the controller with these flags; returns when kubelet knows the driver on every node, and each has a pool. */
export async function runHoldfast(cluster: Cluster, controllerFlags: readonly string[] = []): Promise<void> {
  const { kubectl, lab, client } = cluster;
  await installSnapshotKinds(cluster);
  for (const file of ['crds', 'driver', 'snapshot-class']) await kubectl.applyFile(join(DEPLOY, `${file}.yaml`));
  await startController(cluster, 'controller-a', controllerFlags);
  await startSidecars(cluster, 'controller-a');
  await startSnapshotController(cluster);
  for (const host of lab.hostNames) await startAgent(cluster, host);
  const nodes = lab.hostNames.map((host) => ({
    ...{ host, ip: lab.addressOf(host), pools: [{ name: 'default', path: '/mnt/pool', device: LAB_DATA_DISK }] },
  }));
  await applyPlan({ client }, { storage: { nodes }, volumes: [] }, { signal: AbortSignal.timeout(START_MS) });
  for (const host of lab.hostNames) {
    await kubectl.until(`csinode/${host}`, `jsonpath={.spec.drivers[0].name}=${DRIVER_NAME}`);
    await kubectl.until(`storagenode/${host}`, 'condition=Ready');
  }
}

/** Makes the kinds of snapshots known, which are no part of Kubernetes. */
export async function installSnapshotKinds({ kubectl, programs }: Cluster): Promise<void> {
  for (const kind of SNAPSHOT_KINDS) {
    await kubectl.applyFile(join(programs.snapshotKinds, `snapshot.storage.k8s.io_${kind}.yaml`));
  }
}

/** Starts a controller; the first serves CSI, and has the sidecars beside it. */
export async function startController(
  { lab, pki, folder, composed: { installation } }: Cluster,
  name: string,
  more: readonly string[] = [],
): Promise<void> {
  const kubeconfig = await pki.kubeconfig(`holdfast:${name}`, CONTROLLERS);
  const socket = join(folder, `${name}.sock`);
  await lab.startMachineDaemon({
    name,
    argv: [
      ...[installation.node, join(installation.packageFolder, 'dist/main.mjs'), 'controller'],
      ...['--kubeconfig', kubeconfig, '--csi-socket', socket, ...more],
    ],
  });
}

/** A sidecar that loses its driver once ends for good, so the driver has to be there before. */
async function untilServed(socket: string, clock: Cluster['composed']['clock']): Promise<void> {
  for (const end = clock.monotonic() + START_MS; clock.monotonic() < end; await clock.sleep(POLL_MS)) {
    if (await answers(socket)) return;
  }
  throw new Error(`the driver does not serve ${socket}`);
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket, () => resolve(true)).on('error', () => resolve(false));
    connection.once('connect', () => connection.destroy());
  });
}

/** Starts what turns claims into calls of the driver that a controller serves, as often as the chart lets them ask the API server, or by other flags. */
export async function startSidecars(
  cluster: Cluster,
  controller: string,
  rates: readonly string[] = rateFlags(defaultValues().sidecars),
): Promise<void> {
  const { lab, programs, pki, folder, composed } = cluster;
  const kubeconfig = await pki.kubeconfig('holdfast:sidecars', SIDECARS);
  const socket = join(folder, `${controller}.sock`);
  await untilServed(socket, composed.clock);
  const common = flags({ kubeconfig, 'csi-address': `unix://${socket}` });
  const start = (name: SidecarName, more: readonly string[] = []) => {
    const argv = [programs[name], ...common, timeoutFlag(name), ...rates, ...more];
    return lab.startMachineDaemon({ name, argv, env: { NAMESPACE: SYSTEM_NAMESPACE } });
  };
  // The driver says that its room is known: without it the scheduler finds no node for a claim that waits for its pod.
  // Nobody owns what is said there: there is no pod that could.
  const capacity = ['--enable-capacity', '--capacity-ownerref-level=-1', '--capacity-poll-interval=5s'];
  await start('csi-provisioner', ['--feature-gates=Topology=true', '--extra-create-metadata', ...capacity]);
  await start('csi-attacher');
  await start('csi-resizer');
  await start('csi-snapshotter');
}

/** Starts what binds snapshots, one for all drivers of a cluster. */
export async function startSnapshotController({ lab, programs, pki }: Cluster): Promise<void> {
  const kubeconfig = await pki.kubeconfig('snapshot-controller', 'system:masters');
  const argv = [programs['snapshot-controller'], ...flags({ kubeconfig, 'leader-election': 'false' })];
  await lab.startMachineDaemon({ name: 'snapshot-controller', argv });
}

/** Starts the agent of a host, which makes the driver known to kubelet there. */
export async function startAgent({ lab, pki }: Cluster, host: string): Promise<void> {
  const { files } = lab.host(host);
  await files.makeDirectory('/etc/holdfast');
  const text = await pki.kubeconfigText(`holdfast:node:${host}`, NODES);
  await files.writeText(KUBECONFIG, text, { mode: 0o600 });
  await lab.startDaemon(host, {
    name: 'agent',
    argv: [
      ...[LAB_NODE, `${LAB_PACKAGE_FOLDER}/dist/main.mjs`, 'node', '--name', host, '--address', lab.addressOf(host)],
      ...['--kubeconfig', KUBECONFIG, '--csi-socket', NODE_SOCKET, '--csi-register'],
    ],
  });
}

/** What the program prints to the administrator of the cluster. */
export async function holdfast({ composed, kubeconfig }: Cluster, ...args: readonly string[]): Promise<string> {
  const { node, packageFolder } = composed.installation;
  const program = [join(packageFolder, 'dist/main.mjs'), ...args, '--kubeconfig', kubeconfig];
  return (await composed.machine.run({ file: node, args: program, timeoutMs: COMMAND_MS })).stdout;
}

/** A whole Kubernetes on this machine, each node a host of a lab; it ends with the lab, with everything that was started. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import { type ComposedLab, composeLab } from '../../src/main/compose-lab.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { buildPrograms, type ProgramPaths } from '../../tools/k8s/build.ts';
import { removeControlGroups } from './cgroups.ts';
import {
  API_SERVER_PORT,
  API_SERVICE_ADDRESS,
  type ControlPlaneOptions,
  startControllers,
  startStoreAndApiServer,
} from './control-plane.ts';
import { startDns } from './dns.ts';
import { makeImage } from './image.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { startKubelet } from './kubelet.ts';
import { createPki, type Pki } from './pki.ts';
import { joinPodNetworks } from './pod-network.ts';

const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 60_000;
const EXTENDER_PORT = 7444;
const POLL_MS = 100;

export interface Cluster {
  readonly lab: Lab;
  readonly composed: ComposedLab;
  readonly programs: ProgramPaths;
  readonly pki: Pki;
  readonly folder: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** The product's own client, as the administrator. */
  readonly client: ResourceClient;
  remove(): Promise<void>;
}

export interface ClusterOptions {
  readonly name: string;
  /** Nodes with kubelet and containerd; none for the API server alone. */
  readonly nodes: number;
  /** Has the scheduler ask a controller, which is to advise it at the address of {@link extenderAddress}. */
  readonly hasExtender?: boolean;
  /** False where a pod brings the engine. */
  readonly hasEngine?: boolean;
  /** Of each node; sparse. */
  readonly dataDiskBytes?: number;
  /** Archives of further images for pods. */
  readonly images?: readonly string[];
}

/** Where a controller advises the scheduler. */
export function extenderAddress(lab: Lab): string {
  return `${lab.gateway}:${EXTENDER_PORT}`;
}

/** Brings it up; returns when the API server answers and the nodes are Ready. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, nodes, hasExtender = false, hasEngine = true, dataDiskBytes, images = [] } = options;
  const programs = await buildPrograms((line) => console.log(line));
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-k8s-'));
  const composed = composeLab(join(folder, 'labs'), ROOT);
  const { labs, machine, clock } = composed;
  const remove = async (): Promise<void> => {
    for (const each of await labs.list()) {
      await labs.down(each.name);
      for (const host of each.hosts) await removeControlGroups(machine, controlGroupOf(each.name, host.name));
    }
    await rm(folder, { recursive: true });
  };
  try {
    const lab = await labs.up({
      ...{ name, hosts: Math.max(1, nodes), installation: composed.installation },
      ...(dataDiskBytes === undefined ? {} : { dataDiskBytes }),
      bootActions: hasEngine ? [{ name: 'glusterd', kind: 'run', argv: [...composed.engineDaemon] }] : [],
    });
    const server = `https://${lab.gateway}:${API_SERVER_PORT}`;
    const pki = await createPki(join(folder, 'pki'), [lab.gateway, API_SERVICE_ADDRESS], server);
    const extender = hasExtender ? { extender: `https://${extenderAddress(lab)}` } : {};
    const control: ControlPlaneOptions = { lab, programs, pki, folder, ...extender };
    await startStoreAndApiServer(control);
    const kubeconfig = await pki.kubeconfig('admin', 'system:masters');
    const kubectl = createKubectl(machine, kubeconfig, join(folder, 'kubectl'));
    await answers(kubectl, clock);
    const cluster = {
      lab,
      composed,
      programs,
      pki,
      folder,
      kubeconfig,
      kubectl,
      client: await composed.connect(kubeconfig),
      remove,
    };
    if (nodes > 0) await startNodes(cluster, control, images);
    return cluster;
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Each of one folder: groups of cpuset have to be filled level by level. */
function controlGroupOf(lab: string, host: string): string {
  return `holdfast-${lab}-${host}`;
}

/** Waits until the API server does. */
export async function answers(kubectl: Kubectl, clock: ComposedLab['clock']): Promise<void> {
  let last = 'it was not asked';
  for (const end = clock.monotonic() + READY_MS; clock.monotonic() < end; await clock.sleep(POLL_MS)) {
    try {
      await kubectl.run('get', '--raw', '/readyz');
      return;
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new Error(`the API server does not answer: ${last}`);
}

async function startNodes(cluster: Cluster, control: ControlPlaneOptions, more: readonly string[]): Promise<void> {
  const { lab, composed, programs, pki, folder, kubectl } = cluster;
  await startControllers(control);
  await startDns(control);
  await mkdir(join(folder, 'image'), { recursive: true });
  const images = [await makeImage(composed.machine, join(folder, 'image')), ...more];
  await Promise.all(
    lab.hostNames.map((host, at) =>
      startKubelet({
        ...{ lab, machine: composed.machine, host, index: at + 1, programs, pki, images },
        ...{ controlGroup: controlGroupOf(lab.name, host), sleep: (ms) => composed.clock.sleep(ms) },
      }),
    ),
  );
  await joinPodNetworks(lab);
  for (const host of lab.hostNames) {
    await kubectl.until(`node/${host}`, 'create', READY_MS);
    await kubectl.until(`node/${host}`, 'condition=Ready', READY_MS);
  }
}

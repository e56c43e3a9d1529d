/** A host of a lab as a node of the cluster: containerd, its network for pods, and kubelet. */
import { copyFile, readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { MachineHost } from '../../src/ports/host.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import type { ProgramPaths } from '../../tools/k8s/build.ts';
import { CNI_FOLDER } from '../../tools/k8s/programs.ts';
import { giveControlGroups } from './cgroups.ts';
import { flags } from './control-plane.ts';
import { CLUSTER_DOMAIN } from './dns.ts';
import { IMAGE } from './image.ts';
import type { Pki } from './pki.ts';
import { podRange } from './pod-network.ts';

const SOCKET = '/run/containerd/containerd.sock';
const FOLDER = '/etc/kubelet';
const CTR = ['-a', SOCKET, '-n', 'k8s.io'];
/** Of hundreds of megabytes, on a machine that does other things as well. */
const IMPORT_MS = 240_000;
const START_MS = 30_000;
const POLL_MS = 50;

/** Its layers on the host's own XFS: an overlay cannot be stacked on the overlay that is the host's root. */
const CONTAINERD = `version = 2
root = "/run/system-disk/containerd"
state = "/run/containerd"
[grpc]
  address = "${SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE nobody may lower what the kernel kills first.
  restrict_oom_score_adj = true
  sandbox_image = "${IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_FOLDER}"
    conf_dir = "/etc/cni/net.d"
`;

export interface KubeletOptions {
  readonly lab: Lab;
  readonly machine: MachineHost;
  readonly host: string;
  /** From 1, for its pods' network. */
  readonly index: number;
  readonly programs: ProgramPaths;
  readonly pki: Pki;
  /** Archives of the images of all pods. */
  readonly images: readonly string[];
  /** Of its control groups. */
  readonly controlGroup: string;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Starts containerd and kubelet in a host that is on. */
export async function startKubelet(options: KubeletOptions): Promise<void> {
  const { lab, machine, host: name, programs, controlGroup } = options;
  const host = lab.host(name);
  await giveControlGroups(machine, host, controlGroup);
  await writeConfiguration(options, host);
  await lab.startDaemon(name, { name: 'containerd', argv: ['containerd'] });
  for (const image of options.images) await importImage(options, host, image);
  await lab.startDaemon(name, {
    name: 'kubelet',
    argv: [
      programs.kubelet,
      ...flags({
        ...{ config: `${FOLDER}/config.yaml`, kubeconfig: `${FOLDER}/kubeconfig` },
        ...{ 'hostname-override': name, 'node-ip': lab.addressOf(name), 'root-dir': '/var/lib/kubelet' },
      }),
    ],
  });
}

async function writeConfiguration({ lab, host: name, index, pki }: KubeletOptions, host: MachineHost): Promise<void> {
  for (const folder of [FOLDER, '/etc/containerd', '/etc/cni/net.d']) await host.files.makeDirectory(folder);
  await host.files.writeText('/etc/containerd/config.toml', CONTAINERD);
  await host.files.writeText('/etc/cni/net.d/10-pods.conflist', JSON.stringify(podNetwork(index)));
  await host.files.writeText(`${FOLDER}/ca.crt`, await readFile(pki.authority, 'utf8'));
  const kubeconfig = await pki.kubeconfigText(`system:node:${name}`, 'system:nodes');
  await host.files.writeText(`${FOLDER}/kubeconfig`, kubeconfig, { mode: 0o600 });
  await host.files.writeText(
    `${FOLDER}/config.yaml`,
    stringify(kubeletConfiguration(lab.addressOf(name), lab.gateway)),
  );
}

function podNetwork(index: number): object {
  const ipam = { type: 'host-local', subnet: podRange(index) };
  const routed = { isGateway: true, ipam: { ...ipam, routes: [{ dst: '0.0.0.0/0' }] } };
  return { cniVersion: '0.4.0', name: 'pods', plugins: [{ type: 'bridge', bridge: 'cni0', ...routed }] };
}

function kubeletConfiguration(address: string, dns: string): object {
  return {
    ...{ apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
    ...{ address, healthzBindAddress: '127.0.0.1', containerRuntimeEndpoint: `unix://${SOCKET}` },
    ...{ clusterDNS: [dns], clusterDomain: CLUSTER_DOMAIN },
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${FOLDER}/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    // What is common to machines of all kinds: no systemd, either version of control groups, swap or none.
    ...{
      cgroupDriver: 'cgroupfs',
      cgroupsPerQOS: false,
      enforceNodeAllocatable: [],
      failCgroupV1: false,
      failSwapOn: false,
    },
    // Otherwise a volume that has grown is noticed after a minute.
    syncFrequency: '5s',
    // Hosts share this machine's disk, which others fill.
    evictionHard: {
      'nodefs.available': '0%',
      'imagefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
  };
}

async function importImage({ sleep }: KubeletOptions, host: MachineHost, image: string): Promise<void> {
  for (const end = Date.now() + START_MS; ; await sleep(POLL_MS)) {
    try {
      await giveImage(host, image);
      return;
    } catch (error) {
      // containerd is on its way.
      if (Date.now() > end) throw error;
    }
  }
}

/** Makes an image known to a node that runs, from an archive on this machine. */
export async function giveImage(host: MachineHost, archive: string): Promise<void> {
  // The archive lies in a folder of this machine that hosts do not see: /tmp is their own.
  const path = '/run/system-disk/image.tar';
  await host.files.makeDirectory('/run/system-disk');
  const init = await host.processes.self();
  await copyFile(archive, `/proc/${init.pid}/root${path}`);
  await host.run({ file: 'ctr', args: [...CTR, 'image', 'import', path], timeoutMs: IMPORT_MS });
  await host.files.remove(path);
}

/** Gives an image of a node another name too. */
export async function nameImage(host: MachineHost, name: string, also: string): Promise<void> {
  await host.run({ file: 'ctr', args: [...CTR, 'image', 'tag', name, also], timeoutMs: IMPORT_MS });
}

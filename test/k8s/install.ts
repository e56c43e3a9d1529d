/** Holdfast in a cluster as people install it: its images on each node, and the Helm chart. */
import { copyFile, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hostLayout } from '../../src/adapters/lab/layout.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { POOL_FOLDER } from '../../tools/deploy/node-workloads.ts';
import { defaultValues, SIDECAR_NAMES, type SidecarName } from '../../tools/deploy/values.ts';
import { buildImage } from '../../tools/images/build.ts';
import { IMAGE_ROLES } from '../../tools/images/images.ts';
import { makeTar, writeImage } from '../../tools/images/oci-archive.ts';
import type { Cluster } from './cluster.ts';
import { API_SERVER_PORT } from './control-plane.ts';
import { giveImage } from './kubelet.ts';

const CHART = join(import.meta.dirname, '../../deploy/chart/holdfast');
const TIMEOUT_MS = 60_000;
const HELM_MS = 120_000;
/** Images are unpacked on it. */
const SYSTEM_DISK = '8G';

/** Gives each node room for the images, and the images. */
export async function prepareNodes(cluster: Cluster): Promise<void> {
  const archives = await makeArchives(cluster);
  await Promise.all(
    cluster.lab.hostNames.map(async (name) => {
      const host = cluster.lab.host(name);
      await growSystemDisk(cluster, name);
      // As systemd leaves it, and a host of a lab does not: what pods mount is seen outside of them.
      await host.run({ file: 'mount', args: ['--make-rshared', '/'], timeoutMs: TIMEOUT_MS });
      for (const archive of archives) await giveImage(host, archive);
    }),
  );
}

/** Says that each node stores, on its disk, as people do: with a plan. */
export async function storeOnNodes(cluster: Cluster): Promise<void> {
  const plan = await planOfNodes(cluster);
  await applyPlan({ client: cluster.client }, plan, { signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** A plan of nodes, and no volumes. */
interface NodesPlan {
  readonly storage: {
    readonly nodes: {
      readonly host: string;
      readonly ip: string;
      readonly pools: { readonly name: string; readonly path: string; readonly device: string }[];
    }[];
  };
  readonly volumes: never[];
}

/** What a plan file says of the nodes: each stores on its disk. */
export async function planOfNodes(cluster: Cluster): Promise<NodesPlan> {
  const { lab } = cluster;
  const nodes = lab.hostNames.map(async (host) => {
    const pools = [{ name: 'default', path: `${POOL_FOLDER}/pool`, device: await diskBelowDev(cluster, host) }];
    return { host, ip: lab.addressOf(host), pools };
  });
  return { storage: { nodes: await Promise.all(nodes) }, volumes: [] };
}

/** The name that pods know the disk by, too: they see /dev, and nothing of where a lab puts its disks. */
async function diskBelowDev({ lab }: Cluster, name: string): Promise<string> {
  const run = (file: string, ...args: string[]) => lab.host(name).run({ file, args, timeoutMs: TIMEOUT_MS });
  const { stdout: numbers } = await run('stat', '-c', '%Hr:%Lr', LAB_DATA_DISK);
  const { stdout: path } = await run('readlink', `/sys/dev/block/${numbers.trim()}`);
  return `/dev/${basename(path.trim())}`;
}

/** Makes room for images on a node. */
export async function growSystemDisk({ lab, folder, composed: { machine } }: Cluster, name: string): Promise<void> {
  const { systemImage } = hostLayout(join(folder, 'labs'), lab.name, name);
  const run = (file: string, ...args: string[]) => machine.run({ file, args, timeoutMs: TIMEOUT_MS });
  await run('truncate', '-s', SYSTEM_DISK, systemImage);
  const { stdout } = await run('losetup', '--noheadings', '--output', 'NAME', '--associated', systemImage);
  await run('losetup', '--set-capacity', stdout.trim());
  await lab.host(name).run({ file: 'xfs_growfs', args: ['/run/system-disk'], timeoutMs: TIMEOUT_MS });
}

/** Lets pods of one node, and this machine, reach those of another by their addresses: that is the network plugin's task elsewhere. */
export async function routePods({ lab, composed: { machine } }: Cluster): Promise<void> {
  const args = (to: string, at: number) => ['route', 'replace', `10.244.${at + 1}.0/24`, 'via', lab.addressOf(to)];
  for (const [at, to] of lab.hostNames.entries()) {
    await machine.run({ file: 'ip', args: args(to, at), timeoutMs: TIMEOUT_MS });
    for (const from of lab.hostNames) {
      if (from !== to) await lab.host(from).run({ file: 'ip', args: args(to, at), timeoutMs: TIMEOUT_MS });
    }
  }
}

/** The image of kube-scheduler, of the program that the control plane runs too. */
export async function giveSchedulerImage({ lab, programs, folder }: Cluster, name: string): Promise<void> {
  const archive = await programArchive(
    { name, file: 'usr/local/bin/kube-scheduler', program: programs['kube-scheduler'] },
    folder,
  );
  for (const host of lab.hostNames) await giveImage(lab.host(host), archive);
}

async function makeArchives({ programs, folder }: Cluster): Promise<readonly string[]> {
  const say = (line: string): void => console.log(line);
  const own: string[] = [];
  for (const role of IMAGE_ROLES) own.push(await buildImage(role, say));
  return [...own, ...(await Promise.all(SIDECAR_NAMES.map((name) => sidecarArchive(name, programs[name], folder))))];
}

/** As those of its makers: one program and nothing else. */
async function sidecarArchive(name: SidecarName, program: string, folder: string): Promise<string> {
  const { registry, ...tags } = defaultValues().sidecars;
  const tag = tags[name.slice('csi-'.length) as keyof typeof tags];
  return programArchive({ name: `${registry}/${name}:${tag}`, file: name, program }, folder);
}

interface OneProgram {
  /** Of the image, with its tag. */
  readonly name: string;
  /** Path of the program in the image. */
  readonly file: string;
  readonly program: string;
}

async function programArchive({ name, file, program }: OneProgram, folder: string): Promise<string> {
  const work = join(folder, 'images', basename(file));
  const path = join(work, 'tree', file);
  await mkdir(dirname(path), { recursive: true });
  await copyFile(program, path);
  const layer = join(work, 'layer.tar');
  await makeTar(join(work, 'tree'), ['.'], layer);
  const target = join(work, 'image.tar');
  await writeImage({ name, layers: [layer], entrypoint: [`/${file}`] }, target);
  return target;
}

/** What helm makes of the chart, with these values in the place of its defaults. */
export async function helmTemplate(
  { programs, composed, folder }: Cluster,
  ...set: readonly string[]
): Promise<string> {
  const args = ['template', 'holdfast', CHART, ...set.flatMap((each) => ['--set', each])];
  const { stdout } = await composed.machine.run({ file: programs.helm, args, env: homeIn(folder), timeoutMs: HELM_MS });
  return stdout;
}

function homeIn(folder: string): Readonly<Record<string, string>> {
  return { HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
}

/** Installs the chart, or upgrades it where it is installed; returns when helm has sent everything. */
export async function helmUpgrade(cluster: Cluster, ...set: readonly string[]): Promise<void> {
  await helmUpgradeTo(cluster, CHART, 'metrics.enabled=true', ...set);
}

/** The same with the chart of a folder. */
export async function helmUpgradeTo(cluster: Cluster, chart: string, ...set: readonly string[]): Promise<void> {
  const values = [
    `apiServer.host=${cluster.lab.gateway}`,
    `apiServer.port=${API_SERVER_PORT}`,
    'snapshots.enabled=true',
    ...set,
  ];
  await runHelm(cluster, 'upgrade', '--install', 'holdfast', chart, ...chosen(values));
}

/** Upgrades it with the values that were chosen before: with the defaults of the new chart, or the old one's. */
export async function helmUpgradeAsBefore(
  cluster: Cluster,
  how: '--reset-then-reuse-values' | '--reuse-values',
  ...set: readonly string[]
): Promise<void> {
  await runHelm(cluster, 'upgrade', 'holdfast', CHART, how, ...chosen(set));
}

/** Booleans are none as texts, and tags of images are no numbers. */
function chosen(values: readonly string[]): readonly string[] {
  return values.flatMap((each) => [/=(?:true|false)$/.test(each) ? '--set' : '--set-string', each]);
}

/** Takes the chart away; returns when helm has deleted what it deletes. */
export async function helmUninstall(cluster: Cluster): Promise<void> {
  await runHelm(cluster, 'uninstall', 'holdfast');
}

async function runHelm({ programs, kubeconfig, folder, composed }: Cluster, ...args: readonly string[]): Promise<void> {
  const env = homeIn(folder);
  await composed.machine.run({
    ...{ file: programs.helm, args: [...args, '--kubeconfig', kubeconfig], env, timeoutMs: HELM_MS },
  });
}

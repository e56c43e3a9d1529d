/** A lab whose hosts serve CSI, with a formatted pool on each, and callers of the services as the sidecars and kubelet are. */
import { type Channel, createChannel, createClient } from 'nice-grpc';
import { type ControllerClient, ControllerDefinition, type NodeClient, NodeDefinition } from '../../src/gen/csi/csi.ts';
import type { ComposedLab } from '../../src/main/compose-lab.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { bringUpHoldfast, csiSockets, type HoldfastLab } from '../../src/usecases/lab/bring-up-holdfast.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';
import { HOSTS, withLabs } from './bench-lab.ts';

/** Sparse: room for a hundred volumes with three copies. */
const DATA_DISK_BYTES = 200 * 1024 ** 3;
const POOL_MS = 5 * 60_000;

export interface CsiLab {
  readonly lab: Lab;
  readonly controller: ControllerClient;
  /** The node service of the first host. */
  readonly node: NodeClient;
  /** Name of that host. */
  readonly host: string;
  /** Resident memory in MiB of the process that is the role now. */
  memoryOf(role: 'controller' | 'node'): Promise<number>;
}

/** Hands out the lab and takes it down in the end, with whatever volumes are left in it. */
export async function withCsiLab<T>(work: (csi: CsiLab) => Promise<T>): Promise<T> {
  return withLabs(async (deps) => {
    const { signal } = new AbortController();
    const options = { name: 'benchcsi', hosts: HOSTS, hasCsi: true, dataDiskBytes: DATA_DISK_BYTES };
    const up = await bringUpHoldfast(deps, options, signal);
    await makePools(deps, up);
    const [host] = HOSTS;
    const ids = async () => {
      const { machineDaemons, hosts } = await up.lab.record();
      const first = hosts.find(({ name }) => name === host);
      return {
        controller: machineDaemons['controller']?.pid,
        node: first?.daemons['agent']?.pid,
        init: first?.init?.pid,
      };
    };
    const sockets = csiSockets(deps.controllerFolder(up.lab.name));
    const channels = [
      createChannel(`unix://${sockets.controller}`),
      createChannel(`unix:///proc/${(await ids()).init}/root${sockets.node}`),
    ] as const satisfies readonly Channel[];
    try {
      return await work({
        lab: up.lab,
        controller: createClient(ControllerDefinition, channels[0]),
        node: createClient(NodeDefinition, channels[1]),
        host,
        memoryOf: async (role) => residentMib(deps, (await ids())[role]),
      });
    } finally {
      for (const channel of channels) channel.close();
    }
  });
}

async function makePools({ clock }: ComposedLab, { lab, client }: HoldfastLab): Promise<void> {
  const pools = [{ name: 'default', path: '/mnt/pool', device: LAB_DATA_DISK }];
  const nodes = lab.hostNames.map((host) => ({ host, ip: lab.addressOf(host), pools }));
  await applyPlan({ client }, { storage: { nodes }, volumes: [] });
  for (const name of lab.hostNames) {
    await waitForObject(
      { client, clock },
      {
        ...{ kind: 'StorageNode', name, timeoutMs: POOL_MS },
        check: (seen) => {
          const isReady = seen?.status?.pools?.some((pool) => pool.isReady) === true;
          const areRunning = seen?.status?.engines?.every((engine) => engine.isRunning) === true;
          return isReady && areRunning ? true : undefined;
        },
        describeTimeout: (seen) => {
          throw new Error(`${name} does not get ready: ${JSON.stringify(seen?.status)}`);
        },
      },
    );
  }
}

async function residentMib({ readFile }: ComposedLab, pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`);
  const kib = /^VmRSS:\s+(?<kib>\d+) kB$/m.exec(text)?.groups?.['kib'];
  return Number(kib) / 1024;
}

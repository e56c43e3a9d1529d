/**
 * Holdfast as a whole in a lab: controller with its API, agents and command line, on real GlusterFS; and writers whose
 * every acknowledged record is held against what is there in the end.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { AppError } from '../../src/domain/errors.ts';
import { attachmentName } from '../../src/domain/plan/diff-plan.ts';
import { type ComposedLab, composeLab } from '../../src/main/compose-lab.ts';
import { composeLedger } from '../../src/main/compose-ledger.ts';
import type { CommandResult } from '../../src/ports/host.ts';
import { LAB_DATA_DISK, LAB_NODE, LAB_PACKAGE_FOLDER } from '../../src/ports/lab.ts';
import type { Resource, ResourceClient } from '../../src/ports/resource-client.ts';
import type { Condition } from '../../src/schemas/common.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import type { PlanVolume } from '../../src/schemas/plan-file.ts';
import { areCopiesEqual } from '../../src/usecases/demo/compare-copies.ts';
import { bringUpHoldfast, restartController } from '../../src/usecases/lab/bring-up-holdfast.ts';
import type { Lab } from '../../src/usecases/lab/labs.ts';
import { checkLedgerFile, type LedgerCheckResult } from '../../src/usecases/ledger/check.ts';
import { type LedgerServer, serveLedger } from '../../src/usecases/ledger/serve.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { waitForObject } from '../../src/usecases/waiting/wait-for-object.ts';

const ROOT = join(import.meta.dirname, '../..');
export const NODES = ['kube1', 'kube2', 'kube3'] as const;
export const MIB = 1024 ** 2;
/** The volume that faults happen to: three copies, mounted at /data on every node. */
export const GV0: PlanVolume = {
  ...{ name: 'gv0', size: '256Mi', layout: 'replicated', replicas: 3 },
  mount: { path: '/data', nodes: 'all' },
};
/** Longer than anything takes when it works, so that whoever waits says what for. */
export const PATIENCE_MS = 90_000;
const COMMAND_MS = 60_000;
const EXIT_CODES = Array.from({ length: 256 }, (_, code) => code);

export interface Writer {
  /** The file on the volume. */
  readonly path: string;
  readonly logFile: () => string;
  acknowledged(): number;
  /** Resolves when so many more records are acknowledged. */
  writeMore(count: number): Promise<void>;
  /** Starts it anew in a host, where it goes on behind its last record. */
  goOn(host: string): Promise<void>;
  /** Stops it, reads the file on a host, and says what became of what was acknowledged. */
  finish(readOn: string): Promise<LedgerCheckResult>;
}

export interface WriterOptions {
  /** Records a second at most; as fast as they are kept when left out. */
  readonly rate?: number;
}

export interface Product {
  readonly lab: Lab;
  readonly client: ResourceClient;
  readonly composed: ComposedLab;
  /** "https://10.91.1.254:7443" */
  readonly server: string;
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** A folder of the test's own on this machine. */
  readonly folder: string;
  /** Where the pool of each node is mounted; no other lab has this path. */
  readonly pool: string;
  /** Applies a plan of the nodes and these volumes. */
  apply(volumes: readonly PlanVolume[]): Promise<void>;
  /** The real command line, as the administrator; whatever its exit code. */
  cli(...args: string[]): Promise<CommandResult>;
  /** Standard output of a command in a host. */
  run(host: string, ...argv: readonly string[]): Promise<string>;
  /** A command in a host, whatever its exit code. */
  attempt(host: string, ...argv: readonly string[]): Promise<CommandResult>;
  /** Watches an object until the check has an answer. */
  until<K extends KindName, T>(
    kind: K,
    name: string,
    check: (object: Resource<K> | undefined) => T | undefined,
  ): Promise<T>;
  /** Waits for a condition of a volume. */
  condition(volume: string, wanted: Partial<Condition>): Promise<Condition>;
  /** Every copy is there and current. */
  redundant(volume: string): Promise<void>;
  /** The volume is mounted on these nodes, and each mount reaches every copy. */
  mounted(volume: string, nodes: readonly string[]): Promise<void>;
  anchorOf(volume: string): Promise<string>;
  startWriter(host: string, path: string, options?: WriterOptions): Promise<Writer>;
  /** Ends a writer: everything acknowledged is there, once, in order and whole, and all copies are equal. */
  expectIntact(writer: Writer, readOn: string, volume?: string): Promise<void>;
  /** kill -9 of the process that is recorded for the agent. */
  killAgent(host: string): Promise<void>;
  startAgent(host: string): Promise<void>;
  killController(): Promise<void>;
  startController(): Promise<void>;
  remove(): Promise<void>;
}

export interface ProductOptions {
  readonly name: string;
  readonly hosts?: readonly string[];
  /** The nodes of its plans; NODES when left out. */
  readonly nodes?: readonly string[];
  readonly dataDiskBytes?: number;
  /** Serves CSI in each host and for the controller. */
  readonly hasCsi?: boolean;
}

/** Brings everything up; nothing is planned yet. */
export async function startProduct({
  name,
  nodes: planned = NODES,
  hosts = planned,
  dataDiskBytes,
  hasCsi = false,
}: ProductOptions): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-product-'));
  const composed = composeLab(join(folder, 'labs'), ROOT);
  const { clock, machine, labs } = composed;
  // Loop devices of all labs are seen in each host, so this one's are told by the path.
  const pool = `/mnt/pool-${createSystemRandom().uuid().slice(0, 8)}`;
  const stop = new AbortController();
  const { signal } = stop;
  const remove = async (): Promise<void> => {
    stop.abort();
    for (const each of await labs.list()) await labs.down(each.name);
    await rm(folder, { recursive: true });
  };
  const up = await bringUpHoldfast(
    composed,
    { name, hosts, hasCsi, ...(dataDiskBytes === undefined ? {} : { dataDiskBytes }) },
    signal,
  ).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  const { lab, client, server, kubeconfig } = up;

  const attempt: Product['attempt'] = (host, file = '', ...args) =>
    lab.host(host).run({ file, args, okCodes: EXIT_CODES, timeoutMs: COMMAND_MS });
  const run: Product['run'] = async (host, file = '', ...args) =>
    (await lab.host(host).run({ file, args, timeoutMs: COMMAND_MS })).stdout;
  const until: Product['until'] = (kind, object, check) =>
    waitForObject(
      { client, clock },
      {
        ...{ kind, name: object, check, signal, timeoutMs: PATIENCE_MS },
        describeTimeout: (seen) => {
          const state = JSON.stringify(seen?.status ?? 'is not there', undefined, 1);
          return new AppError('timeout', `waited in vain for a fact about ${kind} ${object}: ${state}`);
        },
      },
    );
  const condition: Product['condition'] = (volume, wanted) =>
    until('Volume', volume, (seen) => {
      const found = seen?.status?.conditions?.find((each) => each.type === wanted.type);
      const isWanted = Object.entries(wanted).every(([key, value]) => found?.[key as keyof Condition] === value);
      return isWanted ? found : undefined;
    });
  const dataCopies = async (volume: string) => {
    const [{ items }, stored] = await Promise.all([client.list('VolumeCopy'), client.get('Volume', volume)]);
    const placed = new Set(stored?.status?.placement?.map(({ copy }) => copy));
    return items
      .filter((copy) => placed.has(copy.metadata.name) && copy.spec.role === 'data')
      .map((copy) => ({ host: lab.host(copy.spec.node), path: copy.status?.path ?? '' }));
  };
  const product: Product = {
    lab,
    client,
    composed,
    server,
    kubeconfig,
    folder,
    pool,
    apply: async (volumes) => {
      const nodes = planned.map((host) => ({
        host,
        ip: lab.addressOf(host),
        pools: [{ name: 'default', path: pool, device: LAB_DATA_DISK }],
      }));
      await applyPlan({ client }, { storage: { nodes }, volumes: [...volumes] }, { signal });
    },
    cli: (...args) =>
      machine.run({
        file: process.execPath,
        args: [join(ROOT, 'bin/holdfast.mjs'), ...args],
        env: { HOLDFAST_KUBECONFIG: kubeconfig },
        okCodes: EXIT_CODES,
        timeoutMs: PATIENCE_MS + COMMAND_MS,
      }),
    run,
    attempt,
    until,
    condition,
    redundant: async (volume) => void (await condition(volume, { type: 'Redundant', status: 'True' })),
    mounted: async (volume, nodes) => {
      for (const node of nodes) {
        await until('VolumeAttachmentRecord', attachmentName(volume, node), (seen) => {
          const { state, connectedCopies, copies } = seen?.status ?? {};
          return state === 'Mounted' && copies !== undefined && connectedCopies === copies ? true : undefined;
        });
      }
    },
    anchorOf: (volume) => until('Volume', volume, (seen) => seen?.status?.anchor),
    startWriter: (host, path, options = {}) => startWriter({ composed, lab, folder, signal }, host, path, options),
    expectIntact: async (writer, readOn, volume = GV0.name) => {
      const verdict = await writer.finish(readOn);
      expect(verdict).toMatchObject({ isIntact: true, lost: { count: 0 }, torn: { count: 0 } });
      expect(verdict.found).toBe(verdict.acknowledged);
      const areEqual = async () => {
        // Asked each time: one that was replaced is erased at any moment, and its folder with it.
        const copies = await dataCopies(volume);
        return copies.length > 0 && areCopiesEqual(copies, signal);
      };
      // The last records may still be on their way into a copy that has just been healed, and a heal renames files under a
      // comparison, which fails then: it is made again.
      await expect.poll(areEqual, { timeout: PATIENCE_MS }).toBe(true);
    },
    killAgent: (host) => lab.stopDaemon(host, 'agent', { graceMs: 0 }),
    startAgent: async (host) => {
      const { bootActions } = await lab.record();
      const agent = bootActions.find((action) => action.name === 'agent' && action.host === host);
      if (agent === undefined) throw new Error(`${host} has no agent`);
      const { argv, env = {} } = agent;
      await lab.startDaemon(host, { name: 'agent', argv, env });
    },
    killController: async () => {
      const id = (await lab.record()).machineDaemons['controller'];
      if (id === undefined) throw new Error('the controller is not recorded');
      await machine.processes.stop(id, { graceMs: 0 });
    },
    startController: () => restartController(composed, lab, server),
    remove,
  };
  return product;
}

interface Desk {
  readonly composed: ComposedLab;
  readonly lab: Lab;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Starts `holdfast ledger write` in a host, and its ledger on this machine, outside all hosts. */
async function startWriter(
  { composed, lab, folder, signal }: Desk,
  firstHost: string,
  path: string,
  { rate }: WriterOptions,
): Promise<Writer> {
  const { clock, machine } = composed;
  const name = `writer${path.replaceAll(/[^a-z0-9]/g, '-')}`;
  const storePath = join(folder, `ledger-${name}`);
  const ledger = composeLedger(clock, { level: 'error', format: 'text', write: () => undefined });
  const server = await serveLedger({ ...ledger, clock }, { storePath, listen: { host: lab.gateway, port: 0 } });
  let host = firstHost;
  const goOn = async (on: string): Promise<void> => {
    host = on;
    await lab.startDaemon(host, {
      name,
      argv: [
        ...[LAB_NODE, `${LAB_PACKAGE_FOLDER}/dist/main.mjs`, 'ledger', 'write', path, '--writer', name],
        ...['--ledger', `${server.address.host}:${server.address.port}`],
        ...(rate === undefined ? [] : ['--rate', String(rate)]),
      ],
    });
  };
  await goOn(firstHost);
  const acknowledged = () => server.progress().find((each) => each.writer === name)?.acknowledged ?? 0;
  const logFile = () => lab.logOf(host, name);
  return {
    path,
    logFile,
    acknowledged,
    goOn,
    writeMore: async (count) => {
      const target = acknowledged() + count;
      await reach(server, target, { signal, logFile: logFile() });
    },
    finish: async (readOn) => {
      await lab.stopDaemon(host, name, { graceMs: 10_000 });
      await server.close();
      return checkLedgerFile({
        hash: ledger.hash,
        readFile: (offset, length) => lab.host(readOn).files.readBytes(path, offset, length),
        readStore: (offset, length) => machine.files.readBytes(storePath, offset, length),
        storePath,
      });
    },
  };
}

/** Far above what a lost host costs (ping-timeout 5 s, twice at worst) and what a power cycle of all hosts takes. */
async function reach(
  server: LedgerServer,
  target: number,
  { signal, logFile }: { readonly signal: AbortSignal; readonly logFile: string },
): Promise<void> {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  for await (const { acknowledged } of server.watch(AbortSignal.any([signal, deadline]))) {
    if (acknowledged >= target) return;
  }
  const log = await readFile(logFile, 'utf8').catch(() => 'no log');
  const [progress] = server.progress();
  throw new Error(
    `${progress?.acknowledged ?? 0} records are acknowledged, ${target} were waited for; the writer says: ${log.slice(-2000)}`,
  );
}

/** Process IDs, as a host counts them, of all that runs of GlusterFS in it. */
export async function glusterPids(product: Product, host: string): Promise<readonly string[]> {
  const found = await product.attempt(host, 'pgrep', '--exact', 'glusterd|glusterfs|glusterfsd');
  return found.stdout.split('\n').filter((line) => line !== '');
}

/** Everything of volumes that is left on the hosts, found without any code of Holdfast's; empty when nothing is. */
export async function residue(product: Product, hosts: readonly string[] = NODES): Promise<readonly string[]> {
  const { pool } = product;
  const ask = async (host: string, ...argv: readonly string[]) =>
    (await product.attempt(host, ...argv)).stdout.split('\n').filter((line) => line !== '');
  const found = await Promise.all(
    hosts.map(async (host) => {
      const lines = [
        ...(await ask(host, 'find', pool, '-mindepth', '1', '-maxdepth', '4')),
        ...(await ask(host, 'findmnt', '--raw', '--noheadings', '--output', 'SOURCE,TARGET', '-t', 'fuse.glusterfs')),
        ...(await ask(host, 'findmnt', '--raw', '--noheadings', '--output', 'TARGET', '-t', 'xfs')).filter((line) =>
          line.startsWith(`${pool}/`),
        ),
        ...(await ask(host, 'losetup', '--list', '--noheadings', '--output', 'BACK-FILE')).filter((line) =>
          line.startsWith(`${pool}/`),
        ),
        ...(await ask(host, 'pgrep', '--list-full', '--exact', 'glusterfsd')),
        ...(await ask(host, 'gluster', 'volume', 'list')),
      ];
      return lines.map((line) => `${host}: ${line}`);
    }),
  );
  return found.flat();
}

/** Waits until volumes can be placed on a node: its first report may come before GlusterFS answers on it. */
export async function untilUsable(product: Product, node: string): Promise<void> {
  await product.until('StorageNode', node, (seen) => {
    const isRunning = seen?.status?.engines?.some((engine) => engine.name === 'gluster' && engine.isRunning) === true;
    return isRunning && seen.status?.pools?.some((pool) => pool.isReady) === true ? true : undefined;
  });
}

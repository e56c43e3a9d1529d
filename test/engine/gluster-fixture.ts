/** Three lab hosts with a formatted pool and glusterd each, joined, as an engine under test. */
import type { Injection } from '../../src/adapters/host/inject.ts';
import { createInjector } from '../../src/adapters/host/inject.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createGlusterEngine, GLUSTERD_ARGV } from '../../src/engines/gluster/index.ts';
import { copyPaths } from '../../src/engines/image/paths.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { Host } from '../../src/ports/host.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { createFakeVolumeKeys } from '../../src/ports/volume-keys.fake.ts';
import type { Lab, LabOptions } from '../../src/usecases/lab/labs.ts';
import type { EngineUnderTest } from '../contract/engine.contract.ts';
import { type Around, settle } from '../contract/engine-harness.ts';
import { createTestLabs } from './lab-fixture.ts';

const NODES = ['kube1', 'kube2', 'kube3'] as const;
const COMMAND_MS = 30_000;
const POLL_MS = 200;
/** Longer than anything here takes when it works, so that whoever waits says what for. */
const PATIENCE_MS = 90_000;

export interface GlusterLab extends EngineUnderTest {
  readonly lab: Lab;
  /** Keys by the name of their Secret. */
  readonly keys: Map<string, string>;
  run(node: string, file: string, ...args: string[]): Promise<string>;
  startGlusterd(node: string): Promise<string>;
  /** Returns when glusterd on the node and on every other that is on see each other. */
  whenConnected(node: string): Promise<void>;
  /** An engine whose host fails or crashes where it is told to; `trace` has what was asked of the host. */
  injected(
    node: string,
    injections: readonly Injection[],
  ): { readonly engine: Engine; readonly trace: readonly string[] };
}

/**
 * Makes the lab and joins the nodes, as the agents would do it.
 *
 * @param times - how many times longer than usual its programs may take
 * @param installation - what runs in its hosts beside GlusterFS, where anything does
 */
export async function startGlusterLab(
  name: string,
  times = 1,
  installation?: LabOptions['installation'],
): Promise<GlusterLab> {
  const clock = createSystemClock();
  const random = createSystemRandom();
  // Loop devices of all labs are seen in each host, so this one's are told by the path.
  const pool = `/pool-${random.uuid().slice(0, 8)}`;
  const made = await createTestLabs(times);
  const lab = await made.labs.up({ name, hosts: NODES, ...(installation === undefined ? {} : { installation }) });
  const run = async (node: string, file: string, ...args: string[]) =>
    (await lab.host(node).run({ file, args, timeoutMs: COMMAND_MS })).stdout;
  const startGlusterd = (node: string) => {
    const [file = '', ...args] = GLUSTERD_ARGV;
    return run(node, file, ...args);
  };
  const keys = createFakeVolumeKeys();
  const engineOf = (host: Host): Engine => createGlusterEngine({ host, keys, clock, random });
  const engine = (node: string, around?: Around): Engine => {
    const plain = engineOf(lab.host(node));
    if (around === undefined) return plain;
    return { ...plain, apply: (step, signal) => around(step, () => plain.apply(step, signal)) };
  };
  const patience = { tries: (times * PATIENCE_MS) / POLL_MS, pause: () => clock.sleep(POLL_MS) };
  const signal = AbortSignal.timeout(30 * 60_000);
  /** The peers that a node's glusterd is connected to, by name; none while it does not answer. */
  const connectedTo = async (self: string): Promise<readonly string[]> => {
    if (!(await engine(self).probe(signal)).isRunning) return [];
    const seen = await engine(self).observe<'peers'>({ subject: 'peers', self, members: NODES }, signal);
    return seen.peers.filter((peer) => peer.isConnected).flatMap((peer) => peer.names);
  };
  const whenConnected = async (node: string): Promise<void> => {
    const on = (await lab.status()).hosts.filter((host) => host.isOn).map((host) => host.name);
    for (let left = patience.tries; left > 0; left -= 1) {
      const seen = await Promise.all(on.map(async (each) => ({ each, peers: await connectedTo(each) })));
      const isWhole = seen.every(({ each, peers }) =>
        each === node ? on.every((other) => other === node || peers.includes(other)) : peers.includes(node),
      );
      if (isWhole) return;
      await patience.pause();
    }
    throw new Error(`glusterd on ${node} and the others did not find each other`);
  };

  for (const node of NODES) {
    await run(node, 'mkfs.xfs', '-q', LAB_DATA_DISK);
    await run(node, 'mkdir', pool);
    await run(node, 'mount', '-o', 'noatime', LAB_DATA_DISK, pool);
    await startGlusterd(node);
  }
  await lab.addBootAction({ name: 'pool', kind: 'run', argv: ['mount', '-o', 'noatime', LAB_DATA_DISK, pool] });
  await lab.addBootAction({ name: 'glusterd', kind: 'run', argv: [...GLUSTERD_ARGV] });
  for (const self of NODES) await waitForDaemon(engine(self), signal, patience);
  const join = { subject: 'peers', self: NODES[0], members: NODES } as const;
  await settle<'peers'>(engine(NODES[0]), join, {
    ...patience,
    signal,
    fact: ({ peers }) => peers.length === 2 && peers.every((peer) => peer.isMember && peer.isConnected),
  });
  for (const self of NODES) {
    const named = { subject: 'peers', self, members: NODES, mayInvite: false } as const;
    await settle<'peers'>(engine(self), named, { ...patience, signal, fact: ({ peers }) => peers.length === 2 });
  }

  /** Kills the program that has the word in its command line, and returns when it is gone. */
  const kill = async (node: string, program: string, word: string): Promise<void> => {
    const found = await run(node, 'pgrep', '--list-full', '--exact', program);
    const pid = found
      .split('\n')
      .find((line) => line.includes(word))
      ?.split(' ')[0];
    if (pid === undefined) throw new Error(`no ${program} with ${word} runs on ${node}: ${found}`);
    await run(node, 'kill', '-KILL', pid);
    while ((await lab.host(node).files.stat(`/proc/${pid}`)) !== undefined) await patience.pause();
  };
  return {
    lab,
    keys: keys.keys,
    nodes: NODES,
    poolPath: pool,
    run,
    startGlusterd,
    whenConnected,
    engine,
    injected: (node, injections) => {
      const injector = createInjector(injections);
      return { engine: engineOf(injector.wrapHost(lab.host(node))), trace: injector.trace };
    },
    powerOff: (node) => lab.powerOff(node),
    powerOn: async (node) => {
      await lab.powerOn(node);
      await whenConnected(node);
    },
    killBrick: (node, volume) => kill(node, 'glusterfsd', `--volfile-id ${volume}.`),
    breakDisk: async (node, copy) => {
      await run(node, 'xfs_io', '-x', '-c', 'shutdown', copyPaths(copy).mountPoint);
    },
    occupy: async (node, mountPath) => {
      await run(node, 'mkdir', '-p', mountPath);
      await run(node, 'mount', '-t', 'tmpfs', 'other', mountPath);
    },
    release: async (node, mountPath) => void (await run(node, 'umount', mountPath)),
    write: (node, { mountPath }) => write(lab.host(node), `${mountPath}/file-${random.uuid()}`),
    killMount: (node, mountPath) => kill(node, 'glusterfs', ` ${mountPath}`),
    residue: async () => (await Promise.all(NODES.map((node) => residueOf(lab.host(node), pool)))).flat(),
    patience,
    stop: () => made.remove(),
  };
}

async function waitForDaemon(engine: Engine, signal: AbortSignal, patience: GlusterLab['patience']): Promise<void> {
  for (let left = patience.tries; left > 0; left -= 1) {
    if ((await engine.probe(signal)).isRunning) return;
    await patience.pause();
  }
  throw new Error('glusterd did not come up');
}

/** Written and fsynced, or not: dd ends with an error when the volume takes no writes. */
async function write(host: Host, path: string): Promise<boolean> {
  const args = [`of=${path}`, 'conv=fsync', 'status=none'];
  const { code } = await host.run({
    file: 'dd',
    args,
    stdin: 'acknowledged\n',
    okCodes: [0, 1],
    timeoutMs: COMMAND_MS,
  });
  return code === 0;
}

/** What is left on a host, found without any of the engine's code. */
async function residueOf(host: Host, pool: string): Promise<string[]> {
  const run = async (file: string, args: string[], okCodes = [0]) =>
    (await host.run({ file, args, okCodes, timeoutMs: COMMAND_MS })).stdout.split('\n').filter((line) => line !== '');
  const found = [
    ...(await run('find', [pool, '-mindepth', '1', '-maxdepth', '4'])),
    ...(await run('findmnt', ['--raw', '--noheadings', '--output', 'SOURCE,TARGET', '-t', 'fuse.glusterfs'], [0, 1])),
    ...(await run('findmnt', ['--raw', '--noheadings', '--output', 'TARGET', '-t', 'xfs'], [0, 1])).filter((line) =>
      line.startsWith(`${pool}/`),
    ),
    ...(await run('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE'])).filter((line) =>
      line.startsWith(`${pool}/`),
    ),
    ...(await run('pgrep', ['--list-full', '--exact', 'glusterfsd'], [0, 1])),
    ...(await run('gluster', ['volume', 'list'], [0, 1])),
  ];
  return found.map((line) => `${host.name}: ${line}`);
}

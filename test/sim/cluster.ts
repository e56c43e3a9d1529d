/**
 * A whole Holdfast in memory: the real controllers and the real agent of each node as mortal processes, the real API
 * semantics, and GlusterFS as a model. Processes that die are started again, as systemd would.
 */
import { runAgent } from '../../src/controllers/agent/run-agent.ts';
import { runControllers } from '../../src/controllers/run-controllers.ts';
import { createFakeCluster, type FakeCluster } from '../../src/engines/gluster/cluster.fake.ts';
import { createFakeSnapshots, type FakeSnapshots } from '../../src/engines/gluster/snapshots.fake.ts';
import type { GlusterStep } from '../../src/engines/gluster/steps.ts';
import {
  createFakeFileServer,
  type FakeFileServer,
  type FakeNfsMachine,
} from '../../src/engines/nfs/file-server.fake.ts';
import { createFakeEncryption, type FakeEncryption } from '../../src/ports/encryption.fake.ts';
import { type FaultRates, NO_FAULTS } from '../../src/ports/faulty-client.fake.ts';
import { createFakeEngineDoctor, createFakeNodeSenses } from '../../src/ports/node-doctor.fake.ts';
import { createFakeVolumeWork, type FakeVolumeWork } from '../../src/ports/volume-work.fake.ts';
import type { KindName } from '../../src/schemas/kinds.ts';
import { PlanFile, type PlanVolume } from '../../src/schemas/plan-file.ts';
import { CONTROLLERS, NODES } from '../../src/shells/kube-api/authorize.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { describeCluster } from './describe-cluster.ts';
import { createInvariants } from './invariants.ts';
import { createObserver, type Seen } from './observer.ts';
import { createSimEncryption } from './sim-encryption.ts';
import { type CrashPoint, createSimEngine, type Pace, USUAL_PACE } from './sim-engine.ts';
import { createSimFencing } from './sim-fencing.ts';
import { createSimHost } from './sim-host.ts';
import { createSimLocalEngine, createSimNfsEngine } from './sim-local.ts';
import { createSimNfsServer } from './sim-nfs-server.ts';
import { createSimSnapshots } from './sim-snapshots.ts';
import { createSimWork } from './sim-work.ts';
import { createWorld, type SimProcess, type World } from './world.ts';

/** As the embedded server's clients have it. */
const WATCH_IDLE_MS = 25_000;
/** A process that died is started again after up to so long. */
const RESTART_MS = 3_000;
/** An absence of this length is noticed: 3 s without a heartbeat, and a little for it to be written down. */
const NOTICED_MS = 5_000;
export const POOL = { name: 'default', path: '/pool' } as const;
export const CONTROLLER = 'controller';
/** Signs whatever it is asked for; what real ones refuse is tested with src/adapters/tls. */
const AUTHORITY = {
  certificatePem: 'authority',
  signNodeCertificate: async ({ node }: { readonly node: string }) => ({ certificatePem: `certificate of ${node}` }),
};

export interface SimOptions {
  readonly nodes?: readonly string[];
  readonly poolBytes?: number;
  /** What in each pool is not Holdfast's. */
  readonly foreignBytes?: number;
  readonly pace?: Pace;
}

export interface SimCluster {
  readonly world: World;
  readonly gluster: FakeCluster;
  readonly snapshots: FakeSnapshots;
  /** Exports "files:/export" and nothing else. */
  readonly fileServer: FakeFileServer;
  /** What a node has mounted of it. */
  nfsMachine(node: string): FakeNfsMachine;
  /** What Tasks do to volumes, for all nodes. */
  readonly work: FakeVolumeWork;
  readonly seen: Seen;
  readonly nodes: readonly string[];
  /** What the daemon of each node speaks. */
  readonly encryptions: ReadonlyMap<string, FakeEncryption>;
  /** Writes to the API but Leases, so far. */
  writes(): number;
  /** Applies a plan of all nodes and these volumes, as a person would. */
  applyPlan(volumes: readonly PlanVolume[]): Promise<void>;
  /** The running process of the controller, or of a node's agent. */
  process(who: string): SimProcess | undefined;
  /** Kills it; it is started again after a while. */
  kill(who: string): void;
  /** The step that an agent has begun last, of all nodes. */
  lastStep(): GlusterStep | undefined;
  /** Engine steps that the node's agents have begun so far, over all its processes. */
  steps(node: string): number;
  /** The agent dies at the step of that number, counted as by {@link SimCluster.steps}. */
  crashAtStep(node: string, point: CrashPoint): void;
  /**
   * What the programs have begun so far that anybody else can see, in order: "kube1: growImage", "controller: patch Volume".
   * The same seed gives the same.
   */
  moments(): readonly string[];
  /** The program whose moment of that number (from 1) comes dies before or after it. */
  dieAtMoment(nth: number, when: CrashPoint['when']): void;
  /** Cuts the connection to the API, also for processes started meanwhile. */
  cut(who: string): void;
  mend(who: string): void;
  /** Lets lists of a kind fail for who, also for processes started meanwhile; mended by false. */
  withholdLists(who: string, kind: KindName, isWithheld: boolean): void;
  /** Lets the agent's looks at its engine hang from now on, or no more. */
  hang(node: string, isHanging: boolean): void;
  powerOff(node: string): void;
  powerOn(node: string): void;
  unplug(node: string): void;
  plug(node: string): void;
  /** Rates of chance faults for all connections, now and later. */
  setRates(rates: FaultRates): void;
  /** Ends all faults of connections, cables and switches; brick processes and disks are for the agents to repair. */
  mendAll(): void;
  /** Lets time pass until the condition holds. @throws {Error} when it does not in time, and about broken promises */
  until(what: string, condition: () => boolean, deadlineMs: number): Promise<void>;
  pass(ms: number): Promise<void>;
}

interface Machine {
  readonly name: string;
  isOn: boolean;
  boots: number;
  awaySince: number | undefined;
  /** When it was last back after an absence that must have been noticed. */
  returnedAt: number | undefined;
}

/** Starts the controller and an agent on each node; nothing is in the API yet. */
export async function createSimCluster(seed: number, options: SimOptions = {}): Promise<SimCluster> {
  const { nodes = ['kube1', 'kube2', 'kube3'], pace = USUAL_PACE, foreignBytes = 0 } = options;
  const world = await createWorld(seed);
  const gluster = createFakeCluster(nodes, options.poolBytes === undefined ? {} : { poolBytes: options.poolBytes });
  const snapshots = createFakeSnapshots(gluster);
  const work = createFakeVolumeWork();
  const fileServer = createFakeFileServer();
  fileServer.export('files:/export');
  const nfsMachines = new Map(nodes.map((node) => [node, fileServer.machine(node)]));
  const nfsMachine = (node: string): FakeNfsMachine => {
    const found = nfsMachines.get(node);
    if (found === undefined) throw new Error(`there is no node ${node}`);
    return found;
  };
  const { clock, random } = world;
  const machines = new Map<string, Machine>();
  for (const name of nodes) {
    machines.set(name, { name, isOn: true, boots: 1, awaySince: undefined, returnedAt: undefined });
  }
  const processes = new Map<string, SimProcess>();
  const cuts = new Set<string>();
  const hanging = new Set<string>();
  const withheld: { readonly who: string; readonly kind: KindName }[] = [];
  const crashPoints = new Map<string, CrashPoint>();
  const steps = new Map<string, number>();
  const moments: string[] = [];
  let death: { readonly moment: number; readonly when: CrashPoint['when'] } | undefined;
  let lastStep: GlusterStep | undefined;
  let rates = NO_FAULTS;
  let wasRough = false;
  let deafUntil = 0;

  const machine = (name: string): Machine => {
    const found = machines.get(name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  };
  const isCutOff = (who: string) => cuts.has(who) || (who !== CONTROLLER && !gluster.state.node(who).isPlugged);
  const isControllerHeard = () => processes.get(CONTROLLER)?.isAlive() === true && !isCutOff(CONTROLLER);

  const encryptions = new Map(nodes.map((node) => [node, createFakeEncryption()]));
  const observer = createObserver(world, (...change) => invariants.onChange(...change));
  const invariants = createInvariants({
    ...{ world, gluster, encryptions, seen: observer.seen, foreignBytes, isControllerHeard },
    returnedAt: (node) => machine(node).returnedAt,
    isRough: () => wasRough,
  });

  const begin = (who: string, what: string): CrashPoint['when'] | undefined => {
    moments.push(`${who}: ${what}`);
    return death?.moment === moments.length ? death.when : undefined;
  };
  const start = (who: string): void => {
    if (who !== CONTROLLER && !machine(who).isOn) return;
    if (processes.get(who)?.isAlive() === true) return;
    const beginWrite = (what: string) => begin(who, what);
    const process =
      who === CONTROLLER
        ? world.createProcess(who, rates, { user: 'controller', groups: [CONTROLLERS] }, beginWrite)
        : world.createProcess(`agent ${who}`, rates, { user: `holdfast:node:${who}`, groups: [NODES] }, beginWrite);
    processes.set(who, process);
    if (isCutOff(who)) process.connection.cut();
    for (const each of withheld) if (each.who === who) process.connection.withholdLists(each.kind, true);
    void process.died.then(async () => {
      if (who !== CONTROLLER && !machine(who).isOn) return;
      await clock.sleep(300 + Math.round(random.next() * RESTART_MS));
      start(who);
    });
    const never = new AbortController().signal;
    const options = { ...process.deps, watchIdleMs: WATCH_IDLE_MS, storageAuthority: AUTHORITY };
    if (who === CONTROLLER) void runControllers({ ...options, version: 'sim' }, never);
    else void runAgent(agentOptions(who, process), never);
  };
  const encryptionOf = (node: string, process: SimProcess) => {
    const found = encryptions.get(node);
    if (found === undefined) throw new Error(`there is no node ${node}`);
    const isInWindow = () => observer.seen.StorageCluster.get('default')?.status?.tls?.phase === 'Restarting';
    return createSimEncryption(found, { world, process, pace, gluster, isInWindow });
  };
  const served = new Map(nodes.map((node) => [node, new Set<string>()]));
  const servedBy = (node: string) => served.get(node) ?? new Set<string>();
  const agentOptions = (node: string, process: SimProcess) => {
    const beginStep = (step: GlusterStep) => {
      lastStep = step;
      const nth = self.steps(node) + 1;
      steps.set(node, nth);
      const point = crashPoints.get(node);
      return begin(node, step.step) ?? (point?.step === nth ? point.when : undefined);
    };
    const beginCall = (what: string) => begin(node, what);
    const { boots } = machine(node);
    const spec = { addresses: { ip: addressOf(nodes, node) }, pools: [POOL] };
    return {
      ...process.deps,
      watchIdleMs: WATCH_IDLE_MS,
      identity: { name: node, initialSpec: spec, agentVersion: 'sim' },
      host: createSimHost(gluster, node, { bootId: `boot-${node}-${boots}`, foreignBytes }),
      fencing: createSimFencing(world, gluster, { node, process, pace, begin: beginCall }),
      work: createSimWork(work, { world, process, pace, begin: beginCall }),
      snapshots: {
        gluster: createSimSnapshots(snapshots, { node, world, process, pace, begin: beginCall }),
        local: createSimSnapshots(snapshots, { node, world, process, pace, begin: beginCall }),
      },
      doctor: createFakeEngineDoctor(),
      encryption: encryptionOf(node, process),
      nfs: createSimNfsServer(gluster, { node, world, process, pace, served: servedBy(node) }),
      senses: createFakeNodeSenses(),
      engines: {
        gluster: createSimEngine(world, gluster, {
          ...{ node, process, pace, watcher: invariants, beginStep },
          isHanging: () => hanging.has(node),
        }),
        local: createSimLocalEngine(world, gluster, { node, process, pace, begin: beginCall }),
        nfs: createSimNfsEngine(world, nfsMachine(node), { node, process, pace, begin: beginCall }),
      },
    };
  };
  for (const who of [CONTROLLER, ...nodes]) start(who);

  const connectionOf = (who: string) => processes.get(who)?.connection;
  const mendIfWhole = (who: string) => {
    if (!isCutOff(who)) connectionOf(who)?.mend();
  };
  const leave = (name: string): void => {
    machine(name).awaySince ??= clock.monotonic();
  };
  const comeBack = (name: string): void => {
    const { isOn, awaySince } = machine(name);
    if (!isOn || !gluster.state.node(name).isPlugged || awaySince === undefined) return;
    machine(name).awaySince = undefined;
    // Only what a controller could have noticed all the time is held against it.
    if (clock.monotonic() - Math.max(awaySince, deafUntil) < NOTICED_MS || wasRough) return;
    machine(name).returnedAt = clock.monotonic();
  };

  const check = (): void => {
    try {
      invariants.check();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}\n${describeCluster({ seen: observer.seen, gluster, processes })}`, { cause: error });
    }
  };

  const self: SimCluster = {
    ...{ world, gluster, snapshots, work, nodes, encryptions, seen: observer.seen, writes: observer.writes },
    fileServer,
    nfsMachine,
    applyPlan: async (volumes) => {
      const hosts = nodes.map((host) => ({ host, ip: addressOf(nodes, host), pools: [POOL] }));
      const plan = PlanFile.parse({ storage: { expected_count: hosts.length, nodes: hosts }, volumes });
      await applyPlan({ client: world.client }, plan);
    },
    process: (who) => processes.get(who),
    kill: (who) => {
      if (who === CONTROLLER) deafUntil = clock.monotonic() + RESTART_MS;
      processes.get(who)?.kill();
    },
    lastStep: () => lastStep,
    steps: (node) => steps.get(node) ?? 0,
    moments: () => moments,
    dieAtMoment: (moment, when) => {
      death = { moment, when };
    },
    crashAtStep: (node, point) => void crashPoints.set(node, point),
    cut: (who) => {
      cuts.add(who);
      connectionOf(who)?.cut();
    },
    mend: (who) => {
      cuts.delete(who);
      if (who === CONTROLLER) deafUntil = clock.monotonic() + NOTICED_MS;
      mendIfWhole(who);
    },
    withholdLists: (who, kind, isWithheld) => {
      const at = withheld.findIndex((each) => each.who === who && each.kind === kind);
      if (isWithheld && at < 0) withheld.push({ who, kind });
      if (!isWithheld && at >= 0) withheld.splice(at, 1);
      connectionOf(who)?.withholdLists(kind, isWithheld);
    },
    hang: (name, isHanging) => void (isHanging ? hanging.add(name) : hanging.delete(name)),
    powerOff: (name) => {
      machine(name).isOn = false;
      leave(name);
      processes.get(name)?.kill();
      gluster.powerOff(name);
      nfsMachine(name).restart();
    },
    powerOn: (name) => {
      if (machine(name).isOn) return;
      machine(name).isOn = true;
      machine(name).boots += 1;
      gluster.powerOn(name);
      comeBack(name);
      start(name);
    },
    unplug: (name) => {
      leave(name);
      gluster.unplug(name);
      connectionOf(name)?.cut();
    },
    plug: (name) => {
      gluster.plug(name);
      mendIfWhole(name);
      comeBack(name);
    },
    setRates: (next) => {
      rates = next;
      wasRough ||= next !== NO_FAULTS;
      for (const process of processes.values()) process.connection.setRates(next);
    },
    mendAll: () => {
      self.setRates(NO_FAULTS);
      for (const who of [...cuts]) self.mend(who);
      for (const name of nodes) {
        self.plug(name);
        self.powerOn(name);
      }
      crashPoints.clear();
    },
    until: async (what, condition, deadlineMs) => {
      const isReached = await world.runUntil(condition, deadlineMs, check);
      if (!isReached)
        throw new Error(
          `not within ${deadlineMs / 1_000} simulated seconds: ${what}\n${describeCluster({ seen: observer.seen, gluster, processes })}`,
        );
    },
    pass: async (ms) => {
      await world.runUntil(() => false, ms, check);
    },
  };
  return self;
}

function addressOf(nodes: readonly string[], name: string): string {
  return `10.9.0.${nodes.indexOf(name) + 1}`;
}

/** What engine tests do over and over: bring a subject to its desired state, and a volume with all its parts up and down. */
import { randomUUID } from 'node:crypto';
import { isAppError } from '../../src/domain/errors.ts';
import { parseEngineVolumeName } from '../../src/domain/names.ts';
import type {
  Desired,
  DesiredAttachment,
  DesiredCopy,
  DesiredVolume,
  Engine,
  Observed,
  Step,
  Subject,
} from '../../src/ports/engine.ts';

/** Stands around each step of an agent; throwing before or after `act` is a crash there. */
export type Around = (step: Step, act: () => Promise<void>) => Promise<void>;

export interface SettleOptions<S extends Subject> {
  readonly signal: AbortSignal;
  /** How often to look, and what to await between two looks. */
  readonly tries: number;
  readonly pause: () => Promise<void>;
  /** What must be seen beside an empty plan. */
  readonly fact?: (observed: Observed<S>) => boolean;
  /** Steps that are refused for now, as by a node that has only just come back, come again at the next look. */
  readonly isPatient?: boolean;
}

/** As the agent does: observe, plan, apply, until nothing is planned any more and the fact, if one is given, is seen. */
export async function settle<S extends Subject>(
  engine: Engine,
  desired: Desired<S> & { readonly subject: S },
  { signal, tries, pause, fact = () => true, isPatient = false }: SettleOptions<S>,
): Promise<Observed<S>> {
  let last = 'nothing was seen';
  for (let left = tries; left > 0; left -= 1) {
    const observed = await engine.observe<S>(desired, signal);
    const steps = engine.plan<S>(desired, observed);
    if (steps.length === 0 && fact(observed)) return observed;
    const refusal = await applyAll(engine, steps, { signal, isPatient });
    const planned = steps.map((step) => step.about).join('; ') || 'nothing planned';
    last = `${planned}; ${refusal ?? 'nothing refused'}; seen ${JSON.stringify(observed)}`;
    await pause();
  }
  throw new Error(`${desired.subject} did not settle in ${tries} looks: ${last}`);
}

async function applyAll(
  engine: Engine,
  steps: readonly Step[],
  { signal, isPatient }: { readonly signal: AbortSignal; readonly isPatient: boolean },
): Promise<string | undefined> {
  try {
    for (const step of steps) await engine.apply(step, signal);
    return undefined;
  } catch (error) {
    if (isPatient && isAppError(error, 'unavailable')) return error.message;
    throw error;
  }
}

/** A volume with its copies and mounts, on nodes of an engine under test. */
export interface VolumeSet {
  /** Node whose engine does the volume-wide steps. */
  readonly anchor: string;
  readonly volume: DesiredVolume;
  readonly copies: readonly { readonly node: string; readonly desired: DesiredCopy }[];
  /** The same on each node. */
  readonly attachment: DesiredAttachment;
  /** Copies first, then the volume. */
  make(around?: Around): Promise<Observed<'volume'>>;
  /** Only the volume: its copies are as they are. */
  makeVolume(around?: Around): Promise<Observed<'volume'>>;
  mount(node: string, around?: Around): Promise<Observed<'attachment'>>;
  /** Mounts first, then the volume, then the copies; no error when there is nothing. */
  remove(around?: Around): Promise<void>;
}

export interface VolumeSetOptions {
  readonly layout: DesiredVolume['layout'];
  readonly brick: DesiredCopy['brick'];
  readonly sizeBytes: number;
  /** Encrypted with the key in that Secret. */
  readonly keySecret?: string;
  readonly signal: AbortSignal;
}

interface Nodes {
  readonly nodes: readonly string[];
  readonly poolPath: string;
  engine(node: string, around?: Around): Engine;
  readonly patience: Pick<SettleOptions<Subject>, 'tries' | 'pause'>;
}

let count = 0;

/** Describes a new volume; makes nothing yet. */
export async function createVolumeSet(
  { nodes, poolPath, engine, patience }: Nodes,
  { layout, brick, sizeBytes, keySecret, signal }: VolumeSetOptions,
): Promise<VolumeSet> {
  count += 1;
  const name = parseEngineVolumeName(`vol${count}`);
  const volumeUid = randomUUID();
  const members = layout === 'single' ? nodes.slice(0, 1) : nodes;
  const anchor = members[0] ?? '';
  const encrypted = keySecret === undefined ? {} : ({ keySecret, fsType: 'ext4' } as const);
  const common: Omit<DesiredCopy, 'copyUid'> = {
    ...{ subject: 'copy', isPresent: true, volume: name, volumeUid, poolPath, brick, sizeBytes },
    ...encrypted,
  };
  const copies = members.map((node) => ({ node, desired: { ...common, copyUid: randomUUID() } }));
  const bricks = await Promise.all(
    copies.map(async ({ node, desired }, index) => {
      const { brickPath } = await engine(node).observe<'copy'>(desired, signal);
      return { node, path: brickPath, isArbiter: layout === 'arbiter' && index === members.length - 1 };
    }),
  );
  const limit = brick === 'directory' ? { limitBytes: sizeBytes } : {};
  const fragments = layout === 'dispersed' ? { redundancy: 1 } : {};
  const volume: DesiredVolume = {
    ...{ subject: 'volume', isPresent: true, name, layout, bricks, options: {} },
    ...limit,
    ...fragments,
    ...(keySecret === undefined ? {} : { isEncrypted: true }),
  };
  const attachment: DesiredAttachment = {
    subject: 'attachment',
    isPresent: true,
    volume: name,
    mountPath: `/mnt/${name}`,
    isReadOnly: false,
    servers: members,
  };
  const options = { ...patience, signal };
  const mounted = new Set<string>();
  const makeVolume = (around?: Around) => settle<'volume'>(engine(anchor, around), volume, options);
  return {
    anchor,
    volume,
    copies,
    attachment,
    make: async (around) => {
      for (const { node, desired } of copies) await settle<'copy'>(engine(node, around), desired, options);
      return makeVolume(around);
    },
    makeVolume,
    mount: async (node, around) => {
      mounted.add(node);
      return settle<'attachment'>(engine(node, around), attachment, options);
    },
    remove: async (around) => {
      for (const node of mounted) {
        await settle<'attachment'>(engine(node, around), { ...attachment, isPresent: false }, options);
      }
      await settle<'volume'>(engine(anchor, around), { ...volume, isPresent: false }, options);
      for (const { node, desired } of copies) {
        await settle<'copy'>(engine(node, around), { ...desired, isPresent: false }, options);
      }
    },
  };
}

/** Proves at the copies of a volume that fenced nodes are cut off from it: by the agent of its anchor, at each of its looks. */

import { messageOf } from '../../domain/errors.ts';
import { type CutState, type CutWatch, proveCut } from '../../domain/fence/prove-cut.ts';
import { kubernetesTime } from '../../domain/kubernetes-time.ts';
import { engineNameOf } from '../../domain/volume/engine-name.ts';
import type { DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import type { BrickCalls, BrickClients } from '../../ports/fencing.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { VolumeEngineStatus, VolumeFenceStatus } from '../../schemas/volume.ts';
import type { AgentDeps } from './agent-deps.ts';
import { withReplaced } from './volume-report.ts';

type StoredVolume = Resource<'Volume'>;
type StoredFence = Resource<'FenceRecord'>;

/** What is reported of a look. */
export type FenceReport = Pick<VolumeEngineStatus, 'refused' | 'fences'>;

export interface FenceLook {
  readonly report: FenceReport;
  /** A copy that answers is not proven yet: another look soon may prove it. */
  readonly isOpen: boolean;
}

export interface FenceProver {
  /** What stays true of what was proven before, by what the engine is told now. @param before - what was reported last */
  carry(observed: Pick<ObservedVolume, 'refused'>, before?: VolumeEngineStatus): FenceReport;
  /** Asks the copies. @param before - what was reported last */
  look(
    volume: StoredVolume,
    seen: { readonly before: VolumeEngineStatus; readonly observed: ObservedVolume },
    signal: AbortSignal,
  ): Promise<FenceLook>;
}

/** What the fences ask of each volume; undefined while there are none. */
export function refusalOf({ informers }: Pick<AgentDeps, 'informers'>): DesiredVolume['refusal'] {
  return refusalBy(informers.FenceRecord.list());
}

function refusalBy(records: readonly StoredFence[]): DesiredVolume['refusal'] {
  if (records.length === 0) return undefined;
  const all = (fences: readonly StoredFence[]) => fences.flatMap(({ spec }) => spec.addresses).toSorted();
  return { refused: all(records.filter(isStanding)), known: all(records) };
}

/**
 * Asked of the API: a volume that is started has to refuse from the beginning whom it is to; what was unfenced meanwhile is refused no more, and a node that is fenced is not let in again.
 */
export async function areFencesAsSeen(
  { client }: Pick<AgentDeps, 'client'>,
  { refusal }: Pick<DesiredVolume, 'refusal'>,
  signal: AbortSignal,
): Promise<boolean> {
  const { items } = await client.list('FenceRecord', { signal });
  return (refusalBy(items)?.refused ?? []).join(',') === (refusal?.refused ?? []).join(',');
}

function isStanding({ status }: StoredFence): boolean {
  return status?.phase !== 'Releasing';
}

/** Creates the prover of one agent; it remembers between looks what is not proven yet. */
export function createFenceProver(deps: AgentDeps): FenceProver {
  const { informers, clock } = deps;
  const memory = new Map<string, CutState['watched']>();

  const carry: FenceProver['carry'] = ({ refused = [] }, before) => {
    const standing = informers.FenceRecord.list().filter(isStanding);
    const fences = standing.map((record) => carryOne(record, before?.fences ?? [], refused));
    return { ...(refused.length === 0 ? {} : { refused: [...refused] }), ...(fences.length === 0 ? {} : { fences }) };
  };

  return {
    carry,
    look: async (volume, { before, observed }, signal) => {
      const report = carry(observed, before);
      const fences = report.fences?.filter(({ isRefused }) => isRefused) ?? [];
      forgetGone(memory, informers.FenceRecord.list());
      if (fences.length === 0 || !observed.isStarted) return { report, isOpen: (report.fences ?? []).length > 0 };
      // Taken before the look: what is seen afterwards is newer than this.
      const [at, time] = [clock.monotonic(), kubernetesTime(clock.now())];
      const asked = await ask(deps, volume, { observed, fences }, signal);
      const proved = (report.fences ?? []).map((fence): VolumeFenceStatus => {
        if (!fence.isRefused) return fence;
        if (typeof asked === 'string') return { ...fence, message: asked };
        const key = `${fence.fence} ${volume.metadata.uid}`;
        const addresses = informers.FenceRecord.get(fence.node)?.spec.addresses ?? [];
        const state = { proven: fence.copies, watched: memory.get(key) ?? {} };
        const next = proveCut(state, { addresses, bricks: asked, at, time });
        memory.set(key, next.watched);
        return { ...fence, copies: { ...next.proven }, ...describe(fence.node, next.watched) };
      });
      return { report: { ...report, fences: proved }, isOpen: isOpen(proved, asked) };
    },
  };
}

function carryOne(
  { metadata: { uid }, spec }: StoredFence,
  fences: readonly VolumeFenceStatus[],
  refused: readonly string[],
): VolumeFenceStatus {
  const isRefused = spec.addresses.every((address) => refused.includes(address));
  const known = fences.find(({ fence }) => fence === uid);
  return { fence: uid, node: spec.node, isRefused, copies: isRefused ? (known?.copies ?? {}) : {} };
}

type Asked = Parameters<typeof proveCut>[1]['bricks'];

/** What the copies answered, the connections before the calls; a sentence where they cannot be asked. */
async function ask(
  deps: AgentDeps,
  volume: StoredVolume,
  { observed, fences }: { readonly observed: ObservedVolume; readonly fences: readonly VolumeFenceStatus[] },
  signal: AbortSignal,
): Promise<Asked | string> {
  const name = engineNameOf(volume);
  try {
    const clients = await deps.fencing.clients(name, signal);
    const copies = copiesOf(deps, volume, observed);
    const areAllProven = copies.every(({ copy }) => fences.every((fence) => fence.copies[copy] !== undefined));
    const calls = areAllProven ? [] : await deps.fencing.calls(name, signal);
    return copies.map(({ copy, host, path }) => {
      const own = <T extends BrickClients | BrickCalls>(found: readonly T[]) =>
        found.find((each) => each.host === host && each.path === path);
      const seen = { connected: own(clients)?.clients, calls: own(calls)?.calls };
      const isAnswering = seen.connected !== undefined && (areAllProven || seen.calls !== undefined);
      return { copy, isAnswering, clients: seen.connected ?? [], calls: seen.calls ?? [] };
    });
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}

/** The copies that the engine has the volume made of, and what it calls their bricks. */
function copiesOf(deps: AgentDeps, volume: StoredVolume, { bricks }: ObservedVolume) {
  return withReplaced(deps, volume.status?.placement ?? []).flatMap((placed) => {
    const path = deps.informers.VolumeCopy.get(placed.copy)?.status?.path;
    const brick = bricks.find((each) => each.node === placed.node && each.path === path);
    return brick === undefined ? [] : [{ copy: placed.copy, host: brick.host ?? brick.node, path: brick.path }];
  });
}

function describe(node: string, watched: Readonly<Record<string, CutWatch>>): Pick<VolumeFenceStatus, 'message'> {
  const pending = Object.values(watched).filter(({ calls = [] }) => calls.length > 0).length;
  return pending === 0 ? {} : { message: `${pending} of its copies work on what ${node} may have asked before` };
}

function isOpen(fences: readonly VolumeFenceStatus[], asked: Asked | string): boolean {
  if (typeof asked === 'string') return true;
  const answering = asked.filter((brick) => brick.isAnswering);
  return fences.some(({ copies }) => answering.some(({ copy }) => copies[copy] === undefined));
}

function forgetGone(memory: Map<string, unknown>, records: readonly StoredFence[]): void {
  const known = new Set(records.map(({ metadata }) => metadata.uid));
  for (const key of memory.keys()) if (!known.has(key.split(' ')[0] ?? '')) memory.delete(key);
}

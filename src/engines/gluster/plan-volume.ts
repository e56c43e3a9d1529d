/** What the anchor node does about one volume. Pure. */
import { describeBytes } from '../../domain/bytes.ts';
import type { DesiredVolume, ObservedVolume } from '../../ports/engine.ts';
import { isCopyPath } from '../image/paths.ts';
import type { RefuseStep } from '../image/step-table.ts';
import { isAdopted, nameBrick } from './adopted-bricks.ts';
import { isRedundant } from './brick-sets.ts';
import { creationOptions, surplusOptions, wantedOptions } from './options.ts';
import { fillOptions, guardOptions, isHealHeld, isMadeOf, planMembership } from './plan-membership.ts';
import { REFUSED, refusalOption } from './refusal.ts';
import type { VolumeStep } from './steps.ts';
import { isOtherTraffic, surplusTlsOptions, tlsOptions } from './tls-options.ts';

/**
 * Plans the steps from what GlusterFS holds to what is wanted; options are set before the first start, so that no
 * client ever works with the defaults.
 *
 * Never touches a volume of the same name whose bricks are not the wanted ones: it is somebody else's.
 */
export function planVolume(desired: DesiredVolume, observed: ObservedVolume): readonly (VolumeStep | RefuseStep)[] {
  const isOwn = desired.adopted === undefined ? isOurs(desired, observed) : isAdopted(desired.adopted, observed);
  if (observed.isPresent && !isOwn) return [refuseForeign(desired, observed)];
  if (!desired.isPresent) return planRemoval(desired, observed);
  if (!observed.isPresent && desired.engineId !== undefined) return [refuseLost(desired)];
  const stop = stopOf(desired.name);
  if (desired.isStopped === true) return observed.isPresent && observed.isStarted ? [stop] : [];
  // Bricks keep what they were started with; one that missed the change was away with all of its mounts.
  if (observed.isStarted && isOtherTraffic(desired, observed.options)) {
    return [stop, ...planVolume(desired, { ...observed, isStarted: false })];
  }
  return planService(desired, observed);
}

/** Of one that is to be served, and whose bricks agree on how they talk. */
function planService(desired: DesiredVolume, observed: ObservedVolume): readonly VolumeStep[] {
  const volume = desired.name;
  const steps: VolumeStep[] = observed.isPresent ? [] : [createOf(desired)];
  steps.push(...planOptions(desired, observed));
  if (!observed.isStarted) steps.push({ step: 'startVolume', volume, about: `start volume ${volume}` });
  if (desired.limitBytes !== undefined && desired.limitBytes !== observed.limitBytes) {
    const about = `limit volume ${volume} to ${describeBytes(desired.limitBytes)}`;
    steps.push({ step: 'limitVolume', volume, limitBytes: desired.limitBytes, about });
  }
  if (!observed.isStarted) return steps;
  const changes = planMembership(desired, observed);
  return [...steps, ...(changes.length > 0 ? changes : planRepair(desired, observed))];
}

function createOf({ name: volume, layout, sets = 1, redundancy, bricks }: DesiredVolume): VolumeStep {
  const nodes = bricks.map((brick) => `${brick.node}${brick.isArbiter ? ' (arbiter)' : ''}`).join(', ');
  const shape = { layout, sets, ...(redundancy === undefined ? {} : { redundancy }) };
  return { step: 'createVolume', volume, ...shape, bricks, about: `create volume ${volume} on ${nodes}` };
}

function planOptions(desired: DesiredVolume, observed: ObservedVolume): readonly VolumeStep[] {
  const volume = desired.name;
  const steps: VolumeStep[] = [];
  const options = missingOptions(desired, observed);
  if (Object.keys(options).length > 0) {
    steps.push({ step: 'setOptions', volume, options, about: `set ${describeOptions(options)} on ${volume}` });
  }
  const refusal = refusalOption(desired, observed.options);
  const keys = [
    ...surplusOptions(desired, observed.options),
    ...surplusTlsOptions(desired, observed.options),
    ...(refusal === 'none' ? [REFUSED] : []),
  ];
  if (keys.length > 0)
    steps.push({ step: 'resetOptions', volume, keys, about: `reset ${keys.join(', ')} of ${volume}` });
  return steps;
}

function planRepair(desired: DesiredVolume, observed: ObservedVolume): readonly VolumeStep[] {
  const volume = desired.name;
  const { bricks } = observed;
  const nodes = new Set(bricks.map((brick) => brick.node));
  const away = new Set(bricks.filter((brick) => brick.isNodeReachable === false).map((brick) => brick.node));
  // With most nodes away glusterd stops the bricks of the rest itself (server quorum), refuses to start them, and starts
  // them when the nodes are back.
  const hasQuorum = isRedundant(desired.layout) && desired.mayDiverge !== true;
  if (hasQuorum && away.size * 2 >= nodes.size) return [];
  const steps: VolumeStep[] = [];
  const stopped = bricks.filter((brick) => !brick.isOnline && brick.isNodeReachable === true);
  if (stopped.length > 0) {
    const where = stopped.map((brick) => brick.node).join(', ');
    steps.push({ step: 'startBricks', volume, about: `start the bricks of ${volume} that are down on ${where}` });
  }
  // Gluster launches a heal only when the self-heal daemons of all bricks answer.
  const areAllReadable = bricks.every((brick) => brick.isReadable);
  const pending = Math.max(0, ...bricks.map((brick) => brick.pendingHeals ?? 0));
  if (pending > 0 && areAllReadable && !isHealHeld(observed)) {
    // Left alone, a copy that came back can wait for heal-timeout: the first crawl may skip entries that are locked.
    steps.push({
      step: 'healVolume',
      volume,
      about: `heal ${pending === 1 ? '1 entry' : `${pending} entries`} of ${volume}`,
    });
  }
  return steps;
}

function stopOf(volume: string): VolumeStep {
  return { step: 'stopVolume', volume, about: `stop volume ${volume}` };
}

function planRemoval(desired: DesiredVolume, observed: ObservedVolume): readonly VolumeStep[] {
  const volume = desired.name;
  if (!observed.isPresent) return [];
  return [
    ...(observed.isStarted ? [stopOf(volume)] : []),
    { step: 'deleteVolume', volume, about: `delete volume ${volume} from GlusterFS (its copies stay)` },
  ];
}

/**
 * A volume that is to be kept must have exactly the wanted bricks. For one that is to go, not all of them may be known
 * any more: those known must be there, all must lie where only Holdfast puts bricks, and one at least must be one of its
 * copies, or it is a volume of the same name from another life of Holdfast (whose database was lost, say).
 */
function isOurs(desired: DesiredVolume, observed: ObservedVolume): boolean {
  const name = (brick: { readonly node: string; readonly path: string }) => `${brick.node}:${brick.path}`;
  const found = observed.bricks.map(name);
  const wanted = desired.bricks.map(name);
  if (desired.isPresent) return isMadeOf(desired.bricks, observed.bricks);
  const { copyUids } = desired;
  const holdsOurs =
    copyUids === undefined ||
    observed.bricks.some((brick) => copyUids.some((uid) => brick.path.includes(`/.holdfast/copies/${uid}/`)));
  return (
    holdsOurs &&
    wanted.every((brick) => found.includes(brick)) &&
    observed.bricks.every((brick) => isCopyPath(brick.path))
  );
}

/** Created anew with `force` it would be served with whatever its copies hold by now, be it nothing. */
function refuseLost(desired: DesiredVolume): RefuseStep {
  return {
    step: 'refuse',
    kind: 'dataLoss',
    resource: `volume ${desired.name}`,
    reason: 'EngineVolumeLost',
    about: `GlusterFS holds volume ${desired.name} no more, which it did (${desired.engineId}); it is not created anew over its copies`,
    hint: 'if it was deleted by hand, see that all copies are whole before creating it again with the same bricks; else restore /var/lib/glusterd',
  };
}

function refuseForeign(desired: DesiredVolume, observed: ObservedVolume): RefuseStep {
  const found = observed.bricks.map(nameBrick).join(', ') || 'none';
  return {
    step: 'refuse',
    kind: 'exists',
    resource: `volume ${desired.name}`,
    reason: 'ForeignVolume',
    ...describeForeign(desired, observed.engineId ?? '', found),
  };
}

function describeForeign(
  { name, adopted }: DesiredVolume,
  engineId: string,
  found: string,
): Pick<RefuseStep, 'about' | 'hint'> {
  if (adopted === undefined) {
    return {
      about: `GlusterFS already has a volume ${name} with other bricks (${found}); it is left alone`,
      hint: 'choose another name, or remove that volume by hand if its data is not needed',
    };
  }
  return {
    about: `volume ${name} of GlusterFS (${engineId}; ${found}) is not the one that was adopted (${adopted.engineId}); it is left alone`,
    hint: `if its bricks were changed by hand, forget it with "holdfast volume delete" and adopt it anew`,
  };
}

function missingOptions(desired: DesiredVolume, observed: ObservedVolume): Readonly<Record<string, string>> {
  const { 'cluster.server-quorum-type': quorum } = observed.options;
  // Left from when it had several copies: a single one has to stay usable while its node lives, however few others do.
  const leftover =
    desired.adopted === undefined && desired.layout === 'single' && quorum === 'server'
      ? { 'cluster.server-quorum-type': 'none' }
      : {};
  const atCreation = observed.isStarted || desired.adopted !== undefined ? {} : creationOptions(desired);
  const guard = { ...guardOptions(desired, observed), ...fillOptions(desired, observed) };
  const refusal = refusalOption(desired, observed.options);
  const wanted = Object.entries({
    ...leftover,
    ...wantedOptions(desired),
    ...tlsOptions(desired),
    ...atCreation,
    ...guard,
    ...(refusal === undefined || refusal === 'none' ? {} : { [REFUSED]: refusal }),
  });
  return Object.fromEntries(wanted.filter(([key, value]) => observed.options[key] !== value));
}

function describeOptions(options: Readonly<Record<string, string>>): string {
  return Object.entries(options)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
}

/**
 * The calls that bring the volume of a claim to a host and take it away again, in the order and with the paths that
 * external-provisioner, external-attacher and kubelet have. Each can be repeated, also where an earlier one was cut off.
 */
import { csiModesOf, kubeletPaths, metadataOf } from '../../domain/csi/claims.ts';
import { AppError, isAppError } from '../../domain/errors.ts';
import type { HashText } from '../../domain/ledger/record.ts';
import { CSI_DRIVER } from '../../domain/volume/persistent-volume.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CsiAccess, CsiAnswers, CsiDriver, CsiMethod, CsiRequests } from '../../ports/csi-driver.ts';
import type { HostFiles } from '../../ports/host.ts';
import type { Claim } from '../../schemas/claim.ts';
import type { LabRun } from '../../schemas/lab-run.ts';

export interface Reach {
  readonly controller: CsiDriver;
  /** Of the run's host; undefined while that is off: what it had mounted is gone. */
  readonly node: CsiDriver | undefined;
  readonly files: Pick<HostFiles, 'makeDirectory' | 'remove'>;
}

export interface CallDeps {
  readonly clock: Clock;
  readonly sha256: HashText;
}

/** How long calls are repeated, and who can end that. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The folder of kubelet, as agents of a lab have it for --csi-root. */
const KUBELET_ROOT = '/var/lib/kubelet';
const RETRY_MS = 250;

/** A driver that asks again, as the sidecars do, while it is told that another call is at work or nobody is there. */
function patient(driver: CsiDriver, { clock }: CallDeps, { timeoutMs, signal }: Patience): Caller {
  const end = clock.monotonic() + timeoutMs;
  return async (method, request) => {
    for (;;) {
      const left = Math.max(1, Math.ceil(end - clock.monotonic()));
      try {
        return await driver.call(method, request, AbortSignal.any([signal, AbortSignal.timeout(left)]));
      } catch (error) {
        signal.throwIfAborted();
        const isPassing = isAppError(error, 'conflict') || isAppError(error, 'unavailable');
        if (clock.monotonic() >= end) throw outOfTime(method, timeoutMs, error);
        if (!isPassing) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  };
}

type Caller = <M extends CsiMethod>(method: M, request: CsiRequests[M]) => Promise<CsiAnswers[M]>;

function outOfTime(method: string, timeoutMs: number, cause: unknown): AppError {
  const last = isAppError(cause) && cause.kind !== 'cancelled' ? `: ${cause.message}` : '';
  return new AppError('timeout', `${method} was not done within ${timeoutMs / 1000} s${last}`, {
    reason: 'CallTookTooLong',
    hint: 'give it more time with --timeout',
    cause,
  });
}

/**
 * Makes the volume where it is not there yet.
 *
 * @returns the run with what the driver calls its node and volume
 * @throws {AppError} what the driver refuses; precondition, when the volume can only be used on another host
 */
export async function provision(deps: CallDeps, reach: Reach, run: LabRun, patience: Patience): Promise<LabRun> {
  const node = await ask(deps, needNode(reach, run), patience)('NodeGetInfo', {});
  const request = creation(run, node.topology);
  const { volumeId, volumeContext, topologies } = await ask(deps, reach.controller, patience)('CreateVolume', request);
  const isHere = topologies.length === 0 || topologies.some((each) => isWithin(node.topology ?? {}, each));
  const found = { ...run, nodeId: node.nodeId, volumeId, volumeContext };
  if (isHere) return found;
  const places = topologies.map((each) => Object.values(each).join('/')).join(', ');
  throw new AppError('precondition', `the volume of claim ${run.claim.name} can only be used on ${places}`, {
    resource: `volume ${volumeId}`,
    reason: 'VolumeElsewhere',
    hint: `run the command there: --host ${places}`,
  });
}

/** Names of the volumes that the driver knows now. */
export async function listVolumes(deps: CallDeps, reach: Reach, patience: Patience): Promise<readonly string[]> {
  return (await ask(deps, reach.controller, patience)('ListVolumes', {})).volumeIds;
}

/** Attaches and mounts a provisioned volume. @returns its path in the host */
export async function mount(deps: CallDeps, reach: Reach, run: LabRun, patience: Patience): Promise<string> {
  const { volumeId = '', nodeId = '', volumeContext = {}, claim } = run;
  const [access] = accessesOf(claim);
  if (access === undefined) throw new AppError('internal', `claim ${claim.name} has no access mode`);
  const { staging, target } = pathsOf(deps, run, volumeId);
  const node = ask(deps, needNode(reach, run), patience);
  const readonly = access.mode === 'MultiNodeReaderOnly';
  const used = { volumeId, access, volumeContext };
  const attached = await ask(
    deps,
    reach.controller,
    patience,
  )('ControllerPublishVolume', { ...used, nodeId, readonly });
  await reach.files.makeDirectory(staging);
  const staged = { ...used, stagingTargetPath: staging, publishContext: attached.publishContext };
  await node('NodeStageVolume', staged);
  await reach.files.makeDirectory(parentOf(target));
  await node('NodePublishVolume', { ...staged, targetPath: target, readonly });
  return target;
}

/** Takes the volume out of the pod that the run stands for. */
export async function unmountFromPod(deps: CallDeps, reach: Reach, run: LabRun, patience: Patience): Promise<void> {
  const { volumeId } = run;
  if (volumeId === undefined || reach.node === undefined) return;
  const { target } = pathsOf(deps, run, volumeId);
  await ask(deps, reach.node, patience)('NodeUnpublishVolume', { volumeId, targetPath: target });
  // pods/ID/volumes/kubernetes.io~csi/NAME/mount, up to ID.
  let folder = target;
  for (let level = 0; level < 5; level += 1) {
    await reach.files.remove(folder);
    folder = parentOf(folder);
  }
}

/** Takes the volume from the host, when nothing there uses it any more. */
export async function detach(deps: CallDeps, reach: Reach, run: LabRun, patience: Patience): Promise<void> {
  const { volumeId, nodeId } = run;
  if (volumeId === undefined) return;
  if (reach.node !== undefined) {
    const { staging } = pathsOf(deps, run, volumeId);
    await ask(deps, reach.node, patience)('NodeUnstageVolume', { volumeId, stagingTargetPath: staging });
    await reach.files.remove(staging);
    await reach.files.remove(parentOf(staging));
  }
  if (nodeId !== undefined) {
    await ask(deps, reach.controller, patience)('ControllerUnpublishVolume', { volumeId, nodeId });
  }
}

/**
 * Deletes the volume. Where CreateVolume was cut off before it named one, the same call tells its name: that is the only
 * way to know, for the sidecars too.
 */
export async function deleteVolume(deps: CallDeps, reach: Reach, run: LabRun, patience: Patience): Promise<void> {
  const call = ask(deps, reach.controller, patience);
  const volumeId = run.volumeId ?? (await findMade(call, run));
  if (volumeId !== undefined) await call('DeleteVolume', { volumeId });
}

/** Undefined for a volume that cannot be made, and so is not there. */
async function findMade(call: Caller, run: LabRun): Promise<string | undefined> {
  try {
    return (await call('CreateVolume', creation(run))).volumeId;
  } catch (error) {
    const isOpen = isAppError(error, 'timeout') || isAppError(error, 'cancelled') || isAppError(error, 'internal');
    if (isOpen || !isAppError(error)) throw error;
    return undefined;
  }
}

function ask(deps: CallDeps, driver: CsiDriver, patience: Patience): Caller {
  return patient(driver, deps, patience);
}

function creation(
  { claim, volumeName }: LabRun,
  topology?: Readonly<Record<string, string>>,
): CsiRequests['CreateVolume'] {
  return {
    name: volumeName,
    requiredBytes: claim.requiredBytes,
    ...(claim.limitBytes === undefined ? {} : { limitBytes: claim.limitBytes }),
    accesses: accessesOf(claim),
    parameters: { ...claim.parameters, ...metadataOf(claim, volumeName) },
    ...(topology === undefined ? {} : { topology }),
  };
}

function accessesOf(claim: Claim): readonly CsiAccess[] {
  return csiModesOf(claim).map((mode) => ({ mode, fsType: claim.fsType, flags: claim.mountOptions }));
}

function pathsOf({ sha256 }: CallDeps, { id, volumeName }: LabRun, volumeId: string) {
  return kubeletPaths(KUBELET_ROOT, { driver: CSI_DRIVER, volumeId, volumeName, pod: id }, sha256);
}

function isWithin(node: Readonly<Record<string, string>>, topology: Readonly<Record<string, string>>): boolean {
  return Object.entries(topology).every(([key, value]) => node[key] === value);
}

function needNode({ node }: Reach, { host }: LabRun): CsiDriver {
  if (node !== undefined) return node;
  throw new AppError('unavailable', `${host} is powered off`, { hint: `holdfast lab power on ${host}` });
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

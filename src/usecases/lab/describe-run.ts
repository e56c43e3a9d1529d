/** What `lab run --dry-run` shows: every call that the run would make, by the very code that makes them. */
import { volumeNameOf } from '../../domain/csi/claims.ts';
import type { CsiAnswers, CsiDriver, CsiMethod, CsiRequests } from '../../ports/csi-driver.ts';
import type { Claim } from '../../schemas/claim.ts';
import type { LabRun } from '../../schemas/lab-run.ts';
import { type CallDeps, deleteVolume, detach, mount, provision, unmountFromPod } from './claimed-volume.ts';

/** One call, or the command itself. */
export interface PlannedCall {
  readonly service: 'controller' | 'node' | 'host';
  readonly call: string;
  readonly request: object;
}

export interface PlannedRun {
  readonly host: string;
  readonly claim: Claim;
  readonly command: readonly string[];
  readonly isVolumeKept: boolean;
}

const TIMEOUT_MS = 1_000;
/** In the paths, where a run has an id of its own. */
const POD = '00000000-0000-4000-8000-000000000000';

/** Lists the calls. Nobody is called; the driver is taken to give the volume the name that it is asked for. */
export async function describeRun(
  deps: CallDeps,
  { host, claim, command, isVolumeKept }: PlannedRun,
  signal: AbortSignal,
): Promise<readonly PlannedCall[]> {
  const calls: PlannedCall[] = [];
  const driver = (service: 'controller' | 'node'): CsiDriver => ({
    call: async (method, request) => {
      calls.push({ service, call: method, request });
      return answer(method, request, host);
    },
    close: () => undefined,
  });
  const nothing = async () => undefined;
  const files = { makeDirectory: nothing, remove: nothing };
  const reach = { controller: driver('controller'), node: driver('node'), files };
  const volumeName = volumeNameOf(claim, deps.sha256);
  const patience = { timeoutMs: TIMEOUT_MS, signal };
  const begun: LabRun = {
    ...{ version: 1, id: POD, owner: { pid: 1, startTicks: 0 }, claim, volumeName, host },
    ...{ isVolumeKept, isVolumeDeleted: !isVolumeKept },
  };
  const run = await provision(deps, reach, begun, patience);
  const path = await mount(deps, reach, run, patience);
  calls.push({ service: 'host', call: 'run', request: { host, command, path } });
  await unmountFromPod(deps, reach, run, patience);
  await detach(deps, reach, run, patience);
  if (!isVolumeKept) await deleteVolume(deps, reach, run, patience);
  return calls;
}

function answer<M extends CsiMethod>(method: M, request: CsiRequests[M], host: string): CsiAnswers[M] {
  const name = 'name' in request ? String(request.name) : '';
  const answers: CsiAnswers = {
    NodeGetInfo: { nodeId: host },
    ListVolumes: { volumeIds: [] },
    CreateVolume: { volumeId: name, volumeContext: {}, topologies: [] },
    ControllerPublishVolume: { publishContext: {} },
    ...{ DeleteVolume: {}, ControllerUnpublishVolume: {}, NodeStageVolume: {}, NodeUnstageVolume: {} },
    ...{ NodePublishVolume: {}, NodeUnpublishVolume: {} },
  };
  return answers[method];
}

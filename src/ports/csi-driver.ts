/** A CSI driver as whoever drives it sees it: the calls that the sidecars and kubelet make, in plain words. */
import type { AccessMode } from '../domain/csi/access.ts';

export interface CsiAccess {
  readonly mode: AccessMode;
  readonly fsType: string;
  readonly flags: readonly string[];
}

/** Where a node or a volume is: key and value of each segment. */
export type CsiTopology = Readonly<Record<string, string>>;
type Context = Readonly<Record<string, string>>;

interface OfVolume {
  readonly volumeId: string;
}

interface Staging extends OfVolume {
  readonly stagingTargetPath: string;
}

/** What is asked, by the name of the call. */
export interface CsiRequests {
  readonly NodeGetInfo: object;
  readonly ListVolumes: object;
  readonly CreateVolume: {
    readonly name: string;
    readonly requiredBytes: number;
    readonly limitBytes?: number;
    readonly accesses: readonly CsiAccess[];
    readonly parameters: Context;
    /** Where it is to be used; left out where the nodes name none. */
    readonly topology?: CsiTopology;
  };
  readonly DeleteVolume: OfVolume;
  readonly ControllerPublishVolume: OfVolume & {
    readonly nodeId: string;
    readonly access: CsiAccess;
    readonly readonly: boolean;
    readonly volumeContext: Context;
  };
  readonly ControllerUnpublishVolume: OfVolume & { readonly nodeId: string };
  readonly NodeStageVolume: Staging & {
    readonly access: CsiAccess;
    readonly publishContext: Context;
    readonly volumeContext: Context;
  };
  readonly NodeUnstageVolume: Staging;
  readonly NodePublishVolume: Staging & {
    readonly targetPath: string;
    readonly access: CsiAccess;
    readonly readonly: boolean;
    readonly publishContext: Context;
    readonly volumeContext: Context;
  };
  readonly NodeUnpublishVolume: OfVolume & { readonly targetPath: string };
}

/** What is answered. */
export interface CsiAnswers {
  readonly NodeGetInfo: { readonly nodeId: string; readonly topology?: CsiTopology };
  /** Of all pages. */
  readonly ListVolumes: { readonly volumeIds: readonly string[] };
  readonly CreateVolume: OfVolume & { readonly volumeContext: Context; readonly topologies: readonly CsiTopology[] };
  readonly DeleteVolume: object;
  readonly ControllerPublishVolume: { readonly publishContext: Context };
  readonly ControllerUnpublishVolume: object;
  readonly NodeStageVolume: object;
  readonly NodeUnstageVolume: object;
  readonly NodePublishVolume: object;
  readonly NodeUnpublishVolume: object;
}

export type CsiMethod = keyof CsiRequests;

/** One socket of a driver: of its controller service, or of the node service of one host. */
export interface CsiDriver {
  /**
   * Calls once.
   *
   * @throws {AppError} of the kind that the status stands for: conflict for ABORTED, unavailable where nobody listens
   */
  call<M extends CsiMethod>(method: M, request: CsiRequests[M], signal: AbortSignal): Promise<CsiAnswers[M]>;
  close(): void;
}

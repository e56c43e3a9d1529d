/** What a demo run says at its end; the JSON that `holdfast demo --json` prints. */
export interface DemoReport {
  /** Records that the ledger, outside the faulty hosts, confirmed to the writer. */
  readonly acknowledged: number;
  /** Of these, how many the third host could not read back. */
  readonly lost: number;
  readonly torn: number;
  readonly reordered: number;
  readonly duplicated: number;
  /** Longest time in which the writer got no confirmation. */
  readonly longestStallSeconds: number;
  /** From the power coming back on a host that lost it under load until all copies were current. */
  readonly healSeconds: number;
  /** From the start of the demo until the volume was mounted on every host. */
  readonly secondsToMounted: number;
  readonly totalSeconds: number;
  /** Every file is the same in every copy, compared by SHA-256 on the hosts' own disks. */
  readonly copiesEqual: boolean;
  readonly api: string;
  readonly kubeconfig: string;
  /** False when the lab was removed at the end, and API and kubeconfig with it. */
  readonly isKept: boolean;
}

/** True when nothing that was acknowledged was lost or damaged and all copies are the same. */
export function isProofWhole(report: DemoReport): boolean {
  const { lost, torn, reordered, duplicated, acknowledged, copiesEqual } = report;
  return acknowledged > 0 && lost + torn + reordered + duplicated === 0 && copiesEqual;
}

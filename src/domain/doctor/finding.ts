/** What a check of `holdfast doctor` found: one sentence each for what was seen, what it means and what to do. */

/** 'unknown': nobody could look, so neither good nor bad is claimed. */
export type FindingStatus = 'ok' | 'warning' | 'failed' | 'unknown';

/** Number of a check, such as "HF001". Never given to another check, so that scripts and pages can rely on it. */
export type CheckId = `HF${number}`;

export interface Finding {
  readonly id: CheckId;
  /** Name of the check, the same for all its findings. */
  readonly title: string;
  readonly status: FindingStatus;
  /** What it is about: "node kube1", "volume gv0", "pool /data on node kube1", "cluster". */
  readonly subject: string;
  /** What was seen, with names and numbers. */
  readonly evidence: string;
  /** What follows from it for the data and for those who use it. Empty for 'ok'. */
  readonly meaning: string;
  /** What to do, with the command to run. Empty for 'ok'. */
  readonly fix: string;
  /** Page and section that explains the check. */
  readonly doc: string;
  /** True only if `holdfast doctor --fix` can put it right without being able to lose anything. */
  readonly isFixable: boolean;
}

/** Where the sections of all checks are, one per id. */
export const CHECKS_PAGE = 'docs/reference/checks.md';

/** Page and section of a check. */
export function docOf(id: CheckId): string {
  return `${CHECKS_PAGE}#${id.toLowerCase()}`;
}

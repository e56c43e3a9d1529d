/** What the acts of the demo share: the tools, who plays which part, and the lab they play in. */
import { AppError } from '../../domain/errors.ts';
import type { HashText } from '../../domain/ledger/record.ts';
import type { Host } from '../../ports/host.ts';
import type { LedgerFiles } from '../../ports/ledger-files.ts';
import type { LedgerNetwork } from '../../ports/ledger-link.ts';
import type { Logger } from '../../ports/logger.ts';
import type { PlanFile } from '../../schemas/plan-file.ts';
import type { BringUpDeps, HoldfastLab } from '../lab/bring-up-holdfast.ts';

export interface DemoDeps extends BringUpDeps {
  readonly files: LedgerFiles;
  readonly network: LedgerNetwork;
  readonly hash: HashText;
  readonly log: Logger;
  /** This machine. */
  readonly machine: Host;
}

/** Who plays which part: hosts and the volume, from the plan. */
export interface Cast {
  readonly hosts: readonly string[];
  readonly zones: Readonly<Record<string, string>>;
  readonly volume: string;
  readonly mountPath: string;
  readonly writer: string;
  readonly reader: string;
  readonly victim: string;
}

/** @throws {AppError} invalid, when the plan has too few nodes or no mounted volume */
export function castOf(plan: PlanFile): Cast {
  const nodes = plan.storage?.nodes ?? [];
  const [writer, reader, victim] = nodes.map((node) => node.host);
  const volume = (plan.volumes ?? []).find((candidate) => candidate.mount !== undefined);
  if (writer === undefined || reader === undefined || victim === undefined || volume?.mount === undefined) {
    throw new AppError('invalid', 'the plan has fewer than three nodes, or no volume that is mounted', {
      hint: 'use examples/plan.lab.yaml as it is, or a plan like it',
    });
  }
  return {
    hosts: nodes.map((node) => node.host),
    zones: Object.fromEntries(nodes.flatMap((node) => (node.zone === undefined ? [] : [[node.host, node.zone]]))),
    volume: volume.name,
    mountPath: volume.mount.path,
    writer,
    reader,
    victim,
  };
}

/** Everything the acts of the demo share. */
export interface Stage {
  readonly cast: Cast;
  readonly world: HoldfastLab;
  readonly signal: AbortSignal;
}

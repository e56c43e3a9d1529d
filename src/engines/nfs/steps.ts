/** Everything the nfs engine can do, as data: planned by plan-*.ts, safe to repeat. */
import type { DesiredShare } from '../../ports/engine.ts';
import type { RefuseStep } from '../image/step-table.ts';

interface About {
  /** One line for people. */
  readonly about: string;
}

/** A volume and its folder. */
export interface FolderOf {
  readonly volume: string;
  readonly share: DesiredShare & { readonly subDir: string };
}

export type NfsVolumeStep = About &
  FolderOf & { readonly step: 'makeFolder' | 'archiveFolder' | 'setAside' | 'eraseAside' | 'forgetFolder' };

export type NfsMountStep =
  | (About & {
      readonly step: 'mountShare';
      readonly volume: string;
      readonly mountPath: string;
      readonly share: DesiredShare;
      readonly options: readonly string[];
    })
  | (About & {
      readonly step: 'unmountShare';
      readonly volume: string;
      readonly mountPath: string;
      readonly source: string;
      /** Nothing is behind it any more: it is detached without waiting for what uses it. */
      readonly isLazy: boolean;
    });

export type NfsStep = NfsVolumeStep | NfsMountStep | RefuseStep;

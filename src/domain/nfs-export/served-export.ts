import type { EngineVolumeName } from '../names.ts';
import type { Squash } from './names.ts';

/** A volume that the NFS server of a node is to serve. */
export interface ServedExport {
  /** In every file handle of its clients. */
  readonly id: number;
  readonly volume: EngineVolumeName;
  /** Copies that the volume is made of; where another number is seen, it is looked at again soon. */
  readonly copies: number;
  /** What clients mount; one path segment. */
  readonly path: string;
  /** IPv4 addresses and networks; everybody else is refused. */
  readonly clients: readonly string[];
  readonly isReadOnly: boolean;
  readonly squash: Squash;
}

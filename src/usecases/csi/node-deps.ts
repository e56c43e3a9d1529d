/** What the calls of the node service work with. */
import type { Host } from '../../ports/host.ts';
import type { WaitDeps } from '../waiting/wait-for-object.ts';

export interface CsiNodeDeps extends WaitDeps {
  readonly host: Host;
  /** Name of the node that this is. */
  readonly node: string;
  /** Folder that staging and target paths have to be in: that of kubelet, without a slash at its end. */
  readonly targetRoot: string;
}

/** What every explanation and what-if question is answered from: one read of the API, as plain objects. */
import type { StoredObjects } from '../plan/diff-plan.ts';

/** The stored objects that say where data is and who is there. */
export type StoredCluster = Pick<StoredObjects, 'clusters' | 'nodes' | 'volumes' | 'copies' | 'attachments'>;

/** Service accounts of pods. */

/** Of the controllers, and of the sidecars in the same pods. */
export const CONTROLLER_ACCOUNT = 'holdfast-controller';
/** Of agents; which node one is of is told by its token, see admission.ts. */
export const NODE_ACCOUNT = 'holdfast-node';

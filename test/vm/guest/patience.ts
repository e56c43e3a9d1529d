/**
 * How many times longer programs may take in a guest than Holdfast lets them. It has what others leave of one processor: on a machine that does
 * other things as well blkid took more than 20 s. For tests that are not about what is slow or silent.
 */
export const PATIENCE = 20;

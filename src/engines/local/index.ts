/** The local engine, as composition roots and tests use it. */
export { createLocalEngine } from './engine.ts';
export { createLocalSnapshots } from './snapshots.ts';

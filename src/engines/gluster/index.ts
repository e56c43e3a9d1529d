/** The GlusterFS engine, as composition roots and tests use it. */
export { createBrickEndpoints } from './brick-endpoints.ts';
export { configureGlusterd, GLUSTERD_ARGV } from './daemon.ts';
export { createGlusterDoctor } from './doctor.ts';
export { createGlusterEncryption } from './encryption.ts';
export { createGlusterEngine } from './engine.ts';
export { createGlusterFencing } from './fencing.ts';
export { createGlusterPoolReader } from './read-pool.ts';
export { createGlusterSnapshots } from './snapshots.ts';
export { createGlusterWork } from './work.ts';

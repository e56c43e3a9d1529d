/** The GlusterFS engine, as composition roots and tests use it. */
export { GLUSTERD_ARGV } from './daemon.ts';
export { createGlusterDoctor } from './doctor.ts';
export { createGlusterEngine } from './engine.ts';
export { createGlusterWork } from './work.ts';

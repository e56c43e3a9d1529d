/** The GlusterFS engine, as composition roots and tests use it. */
export { createGlusterEngine } from './engine.ts';

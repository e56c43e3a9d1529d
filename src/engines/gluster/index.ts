/** The GlusterFS engine, as composition roots and tests use it. */
export { createGlusterEngine, GLUSTER_CAPABILITIES, type GlusterEngineDeps } from './engine.ts';
export { arbiterSizeBytes, imageBytes, MIN_COPY_BYTES } from './sizes.ts';

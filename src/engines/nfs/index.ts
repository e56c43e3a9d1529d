/** The nfs engine, as composition roots and tests use it. */
export { createNfsEngine } from './engine.ts';

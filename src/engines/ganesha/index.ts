/** NFS-Ganesha, as composition roots use it. */
export { createGaneshaServer } from './server.ts';

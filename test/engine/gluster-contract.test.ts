/** Real GlusterFS on three lab hosts keeps the promises that the simulator's model keeps. */
import { describeEngine } from '../contract/engine.contract.ts';
import { startGlusterLab } from './gluster-fixture.ts';

describeEngine('GlusterFS', () => startGlusterLab('gluster-contract'));

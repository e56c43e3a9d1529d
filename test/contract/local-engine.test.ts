/** The local engine on this machine: it keeps its promises, and loses nothing whatever cuts it short. */
import { describeLocalEngine } from './local-engine.contract.ts';
import { startLocalMachine } from './local-machine.ts';

describeLocalEngine('this machine', startLocalMachine);

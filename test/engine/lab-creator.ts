/** Makes two labs and waits to be killed: a program of its own for lab.test.ts. */
import { setTimeout } from 'node:timers/promises';
import { labsIn } from './lab-fixture.ts';

const labs = labsIn(process.argv[2] ?? '');
await labs.up({ name: 'kept', hosts: 1, isKept: true });
await labs.up({ name: 'abandoned', hosts: 1 });
console.log('abandoned is up');
await setTimeout(300_000);

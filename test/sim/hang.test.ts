/** An agent that hangs says no more that its node is well: whoever waits for the node learns that nothing happens there. */
import { expect, it } from 'vitest';
import { PULSE_LIMIT_MS } from '../../src/controllers/agent/pulse.ts';
import { createSimCluster } from './cluster.ts';
import { expectWhole } from './expectations.ts';

const PATIENCE_MS = 10 * 60_000;

it('loses its node the sign of life while its look at the machine hangs, and the anchor moves; afterwards all is well', async () => {
  const sim = await createSimCluster(1);
  await sim.applyPlan([{ name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 3 }]);
  await expectWhole(sim, 'gv0');
  const anchor = () => sim.seen.Volume.get('gv0')?.status?.anchor ?? '';
  const hung = anchor();
  const ready = () => sim.seen.StorageNode.get(hung)?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  sim.hang(hung, true);
  await sim.pass(PULSE_LIMIT_MS);
  expect(ready()).toBe('True');
  await sim.until('its node is not called well', () => ready() !== 'True', PATIENCE_MS);
  await sim.until('another one acts for the volume', () => anchor() !== hung, PATIENCE_MS);
  expect(sim.process(hung)?.deps.log.entries.map(({ message }) => message)).toContain('no heartbeat');
  sim.hang(hung, false);
  await sim.until('its node is well again', () => ready() === 'True', PATIENCE_MS);
  await expectWhole(sim, 'gv0');
});

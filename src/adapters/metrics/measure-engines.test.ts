import { expect, test } from 'vitest';
import type { Engine, EngineTable, ObservedAttachment } from '../../ports/engine.ts';
import { createFakeMetrics } from '../../ports/metrics.fake.ts';
import { measureEngines } from './measure-engines.ts';

const signal = AbortSignal.timeout(60_000);
const mountAt = (mountPath: string) =>
  ({
    ...{ subject: 'attachment', isPresent: true, volume: 'gv0' },
    mountPath,
    isReadOnly: false,
    servers: [],
  }) as never;

/** Mounts are as the table says; the step `bad` fails. */
function tableOf(states: Readonly<Record<string, ObservedAttachment['state']>>): EngineTable {
  const engine = {
    name: 'gluster',
    observe: async ({ mountPath }: { readonly mountPath: string }) => ({
      subject: 'attachment',
      state: states[mountPath] ?? 'absent',
    }),
    apply: async ({ step }: { readonly step: string }) => {
      if (step === 'bad') throw new Error('refused');
    },
  } as unknown as Engine;
  return { gluster: engine, local: engine, nfs: engine };
}

test('steps are counted by how they end, and fail as before', async () => {
  const metrics = createFakeMetrics();
  const { gluster } = measureEngines(tableOf({}), metrics);
  await gluster.apply({ step: 'good', about: '' }, signal);
  await expect(gluster.apply({ step: 'bad', about: '' }, signal)).rejects.toThrow('refused');
  expect(metrics.counted).toEqual([
    'holdfast_engine_steps_total{engine=gluster,step=good,result=ok}',
    'holdfast_engine_steps_total{engine=gluster,step=bad,result=error}',
  ]);
});

test('a mount that stays dead is found once, until it is another', async () => {
  const metrics = createFakeMetrics();
  const states: Record<string, ObservedAttachment['state']> = { '/a': 'dead', '/b': 'mounted' };
  const { gluster } = measureEngines(tableOf(states), metrics);
  const look = async () => {
    for (const path of ['/a', '/b']) await gluster.observe(mountAt(path), signal);
    const [first] = await metrics.samples();
    return [first?.value, metrics.counted.length];
  };
  expect(await look()).toEqual([1, 1]);
  expect(await look()).toEqual([1, 1]);
  states['/a'] = 'mounted';
  expect(await look()).toEqual([0, 1]);
  states['/a'] = 'dead';
  expect(await look()).toEqual([1, 2]);
});

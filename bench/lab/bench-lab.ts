/** A lab for benchmarks, in a folder of its own, and the product's volume in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlanReader } from '../../src/adapters/plan-file/plan-reader.ts';
import { type ComposedLab, composeLab } from '../../src/main/compose-lab.ts';
import { waitForMounts } from '../../src/usecases/demo/volume-waits.ts';
import type { HoldfastLab } from '../../src/usecases/lab/bring-up-holdfast.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const HOSTS = ['kube1', 'kube2', 'kube3'] as const;

/** Hands out a composed lab and removes everything that was made with it. */
export async function withLabs<T>(work: (deps: ComposedLab) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const deps = composeLab(join(folder, 'labs'), ROOT);
  try {
    return await work(deps);
  } finally {
    for (const { name } of await deps.labs.list()) await deps.labs.down(name);
    await rm(folder, { recursive: true });
  }
}

/** Applies the example plan (volume gv0, 1 GiB, three copies) and returns when it is mounted on every host. */
export async function mountExample(deps: ComposedLab, { client, lab }: HoldfastLab): Promise<void> {
  const plan = await createPlanReader({ stdin: process.stdin }).read(join(ROOT, 'examples/plan.lab.yaml'));
  const nodes = (plan.storage?.nodes ?? []).map((node) => ({ ...node, ip: lab.addressOf(node.host) }));
  await applyPlan({ client }, { ...plan, storage: { ...plan.storage, nodes } });
  const { signal } = new AbortController();
  await waitForMounts({ client, clock: deps.clock }, { hosts: HOSTS, volume: 'gv0' }, { say: () => undefined, signal });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

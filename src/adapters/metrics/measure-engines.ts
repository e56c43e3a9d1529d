/** Counts what an agent has its engines do, and mounts that they find dead. */
import { type Sample, sample } from '../../domain/metrics/definitions.ts';
import type { EngineName } from '../../domain/volume/engines.ts';
import type { DesiredAttachment, Engine, EngineTable, ObservedAttachment } from '../../ports/engine.ts';
import type { Metrics } from '../../ports/metrics.ts';

/** The same engines, counted. */
export function measureEngines(engines: EngineTable, metrics: Metrics): EngineTable {
  return {
    gluster: measureEngine(engines.gluster, metrics),
    local: measureEngine(engines.local, metrics),
    nfs: measureEngine(engines.nfs, metrics),
  };
}

function measureEngine(engine: Engine, metrics: Metrics): Engine {
  const { name } = engine;
  const dead = createDeadMounts(name, metrics);
  return {
    ...engine,
    observe: async (desired, signal) => {
      const observed = await engine.observe(desired, signal);
      if (desired.subject === 'attachment' && observed.subject === 'attachment') {
        dead.see(desired as DesiredAttachment, observed);
      }
      return observed;
    },
    apply: async (step, signal) => {
      const count = (result: 'ok' | 'error') =>
        metrics.count('holdfast_engine_steps_total', { engine: name, step: step.step, result });
      try {
        await engine.apply(step, signal);
        count('ok');
      } catch (error) {
        count('error');
        throw error;
      }
    },
  };
}

/** Each look at a mount tells how it is; a mount that stays dead is found once. */
function createDeadMounts(engine: EngineName, metrics: Metrics) {
  const paths = new Set<string>();
  metrics.addSource((): readonly Sample[] => [sample('holdfast_dead_mounts', { engine }, paths.size)]);
  return {
    see: ({ mountPath }: DesiredAttachment, { state }: ObservedAttachment): void => {
      if (state !== 'dead') paths.delete(mountPath);
      else if (!paths.has(mountPath)) {
        paths.add(mountPath);
        metrics.count('holdfast_dead_mounts_found_total', { engine });
      }
    },
  };
}

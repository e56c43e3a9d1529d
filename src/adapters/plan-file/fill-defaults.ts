/** Puts the sections defaults and networks of a plan into the volumes that leave their fields out, before anything is checked. */
import { entries, field } from '../../domain/plan/draft.ts';
import { PlanDefaults, PlanNetworks } from '../../schemas/plan-file.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a local volume cannot have (domain/volume/engines.ts): nobody reaches it over the network, and it has no options. */
const NOT_LOCAL = ['profile', 'allow'];

/**
 * The plan with every default written out. An adopted volume is what it is, and gets none.
 *
 * @param plan - as written, right or wrong; a default that is wrong itself is put nowhere
 */
export function fillDefaults(plan: unknown): unknown {
  const root = { path: [], value: plan };
  const volumes = field(root, 'volumes');
  const defaults = { ...goodDefaults(plan), ...goodClients(plan) };
  if (Object.keys(defaults).length === 0 || !Array.isArray(volumes.value)) return plan;
  const filled = entries(volumes).map(({ value }) => (isFields(value) ? fill(value, defaults) : value));
  return { ...(plan as Fields), volumes: filled };
}

function fill(volume: Fields, defaults: Fields): Fields {
  if (volume['adopted'] !== undefined) return volume;
  const isLocal = volume['engine'] === 'local';
  const fitting = Object.entries(defaults).filter(([name]) => !isLocal || !NOT_LOCAL.includes(name));
  return { ...Object.fromEntries(fitting), ...volume };
}

function goodDefaults(plan: unknown): Fields {
  const section = field({ path: [], value: plan }, 'defaults');
  const good = Object.entries(PlanDefaults.shape).flatMap(([name, schema]) => {
    const { value } = field(section, name);
    return value !== undefined && schema.safeParse(value).success ? [[name, value] as const] : [];
  });
  return Object.fromEntries(good);
}

function goodClients(plan: unknown): Fields {
  const { value } = field({ path: [], value: plan }, 'networks', 'clients');
  return value !== undefined && PlanNetworks.shape.clients.safeParse(value).success ? { allow: value } : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

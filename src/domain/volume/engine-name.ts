/** The two names of a volume: what Holdfast calls it, and what the engine does. Pure. */
import type { Volume } from '../../schemas/volume.ts';
import { type EngineVolumeName, parseEngineVolumeName } from '../names.ts';

/** What of a Volume says how it is called. */
interface NamedVolume {
  readonly metadata: { readonly name?: string | undefined };
  readonly spec: Pick<Volume['spec'], 'adopted'>;
}

/** What the engine calls a volume. Everything that the engine is asked about a volume goes by this name. */
export function engineNameOf({ metadata, spec }: NamedVolume): EngineVolumeName {
  return parseEngineVolumeName(spec.adopted?.engineName ?? metadata.name ?? '');
}

/** The same for a volume of which only the name is at hand, since it is gone or Holdfast made it: the engine calls it so too. */
export function ownEngineName(name: string): EngineVolumeName {
  return parseEngineVolumeName(name);
}

/** The node behind a name by which the engine calls a machine in an adopted volume; any other name as it is. */
export function nodeCalled({ spec }: Pick<NamedVolume, 'spec'>, host: string): string {
  return spec.adopted?.bricks.find((brick) => brick.host === host)?.node ?? host;
}

/** How a volume of the engine is named to people: as Holdfast's, where it is one. */
export function volumeNamed(volumes: readonly NamedVolume[], engineName: string): string {
  return volumes.find((volume) => engineNameOf(volume) === engineName)?.metadata.name ?? engineName;
}

/** Why things are, or would be, as they are: for `holdfast explain` and the dashboard. Only reads. */
import { formatQuantity } from '../../domain/bytes.ts';
import { AppError } from '../../domain/errors.ts';
import { explainVolume, type VolumeExplanation } from '../../domain/explain/explain-volume.ts';
import { type ExplainedWish, explainWish } from '../../domain/explain/explain-wish.ts';
import { parsePoolName } from '../../domain/names.ts';
import { parseVolumeSize } from '../../domain/volume/copy-size.ts';
import type { LayoutRequest } from '../../domain/volume/layout.ts';
import { type ReadDeps, readCluster, requireKnown, requireVolume, zoneNames } from '../simulate/read-cluster.ts';

export interface PlacementQuestion extends LayoutRequest {
  /** A Quantity: 20Gi. */
  readonly size: string;
  readonly pool?: string;
  readonly brick?: 'image' | 'directory';
  readonly zones?: readonly string[];
}

/**
 * Whether a volume would fit, with every node against every filter.
 *
 * @throws {AppError} invalid or range, for a wish that no machines could fulfil; notFound, for an unknown zone
 */
export async function explainPlacementOf(deps: ReadDeps, question: PlacementQuestion): Promise<ExplainedWish> {
  const { zones, brick = 'image', pool = 'default', ...layout } = question;
  const size = formatQuantity(parseVolumeSize(question.size));
  const wish = { ...layout, size, pool: parsePoolName(pool), brick, ...(zones === undefined ? {} : { zones }) };
  const stored = await readCluster(deps);
  requireKnown('zone', zones ?? [], zoneNames(stored));
  const answer = explainWish(stored, wish);
  if (answer.ok) return answer.explained;
  throw new AppError('invalid', answer.message, { reason: 'InvalidLayout', hint: answer.hint });
}

/**
 * Everything decided about one volume.
 *
 * @throws {AppError} notFound, with the nearest name
 */
export async function explainVolumeOf(deps: ReadDeps, name: string): Promise<VolumeExplanation> {
  const stored = await readCluster(deps);
  return explainVolume(stored, requireVolume(stored, name));
}

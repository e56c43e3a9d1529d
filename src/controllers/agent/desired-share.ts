/** What an engine is told of the share that a volume is. */
import type { DesiredShare } from '../../ports/engine.ts';
import type { Resource } from '../../ports/resource-client.ts';

/** Nothing for a volume of another engine. */
export function desiredShare({ metadata, spec }: Resource<'Volume'>): { readonly share?: DesiredShare } {
  if (spec.share === undefined) return {};
  const { onDelete = 'delete', mountOptions = [], ...share } = spec.share;
  return { share: { ...share, onDelete, mountOptions, volumeUid: metadata.uid } };
}

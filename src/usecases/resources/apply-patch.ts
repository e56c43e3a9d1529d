/** The kinds of patch that the API takes, and which kinds of object take which. */
import { AppError } from '../../domain/errors.ts';
import type { KindDefinition } from '../../schemas/kinds.ts';
import { applyJsonPatch } from './json-patch.ts';
import { isOwnKind, isRecord, type JsonRecord, type KubeObject } from './kube-object.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

export interface Patch {
  readonly type: 'merge' | 'json' | 'strategic';
  /** A JSON value of the type's form. */
  readonly body: unknown;
}

/**
 * Applies a patch to a stored object; changes neither.
 *
 * @throws {AppError} invalid, for a malformed patch; unsupported (UnsupportedMediaType), for a strategic merge patch of
 * a kind of Holdfast's own, which Kubernetes refuses for custom resources too
 */
export function applyPatch(definition: KindDefinition, before: KubeObject, patch: Patch): JsonRecord {
  const patched = patchedValue(definition, before, patch);
  if (isRecord(patched)) return patched;
  throw new AppError('invalid', 'the patch leaves something that is no object', { reason: 'BadRequest' });
}

function patchedValue(definition: KindDefinition, before: KubeObject, patch: Patch): unknown {
  if (patch.type === 'json') return applyJsonPatch(before, patch.body);
  if (!isRecord(patch.body)) throw new AppError('invalid', 'the patch is no JSON object', { reason: 'BadRequest' });
  if (patch.type === 'merge') return applyMergePatch(before, patch.body);
  if (!isOwnKind(definition)) return applyStrategicMergePatch(before, patch.body);
  throw new AppError('unsupported', `${definition.plural} take no strategic merge patch`, {
    reason: 'UnsupportedMediaType',
    hint: 'send application/merge-patch+json or application/json-patch+json (kubectl patch --type merge)',
  });
}

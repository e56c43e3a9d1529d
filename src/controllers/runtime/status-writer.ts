/** Writes the status of an object, and only when it says something new. */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Resource, ResourceClient } from '../../ports/resource-client.ts';
import { KINDS, type KindName } from '../../schemas/kinds.ts';
import { mergeDiff } from './merge-diff.ts';

/** The type of the status of a kind. */
export type StatusOf<K extends KindName> = Resource<K> extends { status?: infer S } ? NonNullable<S> : never;

/** Values for some fields of a status; a field given as undefined is removed, one left out stays as it is. */
export type StatusFields<K extends KindName> = {
  readonly [Field in keyof StatusOf<K>]?: StatusOf<K>[Field] | undefined;
};

export interface WriteOptions {
  readonly signal?: AbortSignal;
  /**
   * False writes over changes that others made since the object was read. Only for fields with a single writer whose
   * value does not depend on what was read, such as a heartbeat. Default true: such a write fails with conflict. Either
   * way it fails with conflict when the object is another one of the same name by now.
   */
  readonly isCompareAndSwap?: boolean;
}

export interface StatusWriter {
  /**
   * Sets fields of the status to these values, with `observedGeneration` of the object as it was read; does not call the
   * server when they hold already. Returns the object as it is then.
   *
   * @param object - as it was read; the difference is made against its status
   * @throws {AppError} conflict when the object changed since it was read: reconcile again with the newer one; notFound
   */
  write<K extends KindName>(
    kind: K,
    object: NoInfer<Resource<K>>,
    fields: NoInfer<StatusFields<K>>,
    options?: WriteOptions,
  ): Promise<Resource<K>>;
}

/** Creates a status writer over a client. */
export function createStatusWriter(deps: { readonly client: ResourceClient }): StatusWriter {
  return {
    write: async (kind, object, fields, options = {}) => {
      if (!KINDS[kind].hasStatus) throw new AppError('internal', `${kind} has no status to write`);
      const before = (object as { readonly status?: object }).status ?? {};
      const after = { ...before, ...fields, observedGeneration: object.metadata.generation };
      const status = mergeDiff(before, after);
      if (status === undefined) return object;
      const { name, uid, resourceVersion } = object.metadata;
      const namespace = (object.metadata as { readonly namespace?: string }).namespace;
      const common = {
        ...({ subresource: 'status', uid } as const),
        ...(namespace === undefined ? {} : { namespace }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      };
      try {
        return await deps.client.patch(kind, name, { status }, { ...common, resourceVersion });
      } catch (error) {
        if (options.isCompareAndSwap !== false || !isAppError(error, 'conflict')) throw error;
        // Tried with the version first because the UID alone costs a read more, where the server is a cluster's.
        return deps.client.patch(kind, name, { status }, common);
      }
    },
  };
}

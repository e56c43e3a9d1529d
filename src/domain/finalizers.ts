/** Finalizers: set before the first effect outside the API, taken away after the last trace of it is gone. */
export const VOLUME_FINALIZER = 'holdfast.dev/volume';
export const SNAPSHOT_FINALIZER = 'holdfast.dev/snapshot';
export const SNAPSHOT_GROUP_FINALIZER = 'holdfast.dev/snapshot-group';
export const FENCE_FINALIZER = 'holdfast.dev/fence';
export const COPY_FINALIZER = 'holdfast.dev/copy';
export const ATTACHMENT_FINALIZER = 'holdfast.dev/attachment';
/** On the Secret with a volume's key: a deletion by hand waits until nothing is encrypted with it any more. */
export const KEY_FINALIZER = 'holdfast.dev/volume-key';

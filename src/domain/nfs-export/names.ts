/** What an export of a volume is called. */

/** Who writes as the client's root: itself, or the anonymous user. */
export const SQUASHES = ['none', 'root'] as const;
export type Squash = (typeof SQUASHES)[number];

/** Port of NFSv4, which needs no other. */
export const NFS_PORT = 2049;

/** Name of the VolumeAttachmentRecord that exports a volume on a node. */
export function exportName(volume: string, node: string): string {
  return `${volume}.nfs.${node}`;
}

/** What clients mount from the node. */
export function exportPath(volume: string): string {
  return `/${volume}`;
}

/** True for a VolumeAttachmentRecord that its node serves by NFS, and does not mount. */
export function isExport({ spec }: { readonly spec: { readonly export?: object | undefined } }): boolean {
  return spec.export !== undefined;
}

/** Where an attachment can be used, as a sentence says it. */
export function describePlace({
  node,
  mountPath,
  export: exported,
}: {
  readonly node: string;
  readonly mountPath: string;
  readonly export?: object | undefined;
}): string {
  return exported === undefined ? `${node} at ${mountPath}` : `${node} as the NFS export ${mountPath}`;
}

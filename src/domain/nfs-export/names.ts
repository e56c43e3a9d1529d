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

interface Place {
  readonly node: string;
  readonly mountPath: string;
  readonly export?: object | undefined;
}

/** How an attachment can be used on its node, as a sentence says it. */
export function describeUse({ mountPath, export: exported }: Omit<Place, 'node'>): string {
  return exported === undefined ? `at ${mountPath}` : `as the NFS export ${mountPath}`;
}

/** Where it can be used. */
export function describePlace(place: Place): string {
  return `${place.node} ${describeUse(place)}`;
}

/** The same in a table that names the node elsewhere. */
export function describePath({
  mountPath,
  isReadOnly,
  export: exported,
}: Pick<Place, 'mountPath'> & {
  readonly isReadOnly: boolean;
  readonly export?: { readonly clients: readonly string[] } | undefined;
}): string {
  if (exported === undefined) return mountPath;
  return `NFS ${mountPath} for ${exported.clients.join(', ')}${isReadOnly ? ', read-only' : ''}`;
}

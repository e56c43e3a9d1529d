/** An export of a file server, and what of it a volume is. */
import { isPlainPath } from '../paths.ts';

export const ON_DELETE = ['delete', 'retain', 'archive'] as const;
/** What becomes of a volume's folder when the volume is deleted. */
export type OnDelete = (typeof ON_DELETE)[number];

export interface ShareAddress {
  /** Name or address of the file server. */
  readonly server: string;
  /** What it exports: "/export". */
  readonly path: string;
  /** The folder of it that is the volume; the whole of it when left out. */
  readonly subDir?: string | undefined;
}

const HOST =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
const IPV6 = /^[0-9A-Fa-f:]{2,39}(?:%[A-Za-z0-9._-]{1,15})?$/;
const MAX_HOST = 253;
/** Characters that the path of an export has at most. */
export const MAX_EXPORT_PATH = 1024;
const PERMISSIONS = /^0?[0-3]?[0-7]{3}$/;

/** Why a text names no file server, or undefined when it does. */
export function serverFault(server: string): string | undefined {
  const isIpv6 = server.includes('::') || server.split(':').length === 8;
  if (server.length <= MAX_HOST && (HOST.test(server) || (isIpv6 && IPV6.test(server)))) return undefined;
  return 'must be a host name or an address, such as files.example.com';
}

/** Why a text is no exported path, or undefined when it is one. */
export function exportFault(path: string): string | undefined {
  if (path.length > MAX_EXPORT_PATH) return `is longer than ${MAX_EXPORT_PATH} characters`;
  if (path === '/' || isPlainPath(path)) return undefined;
  return 'must be an absolute path without "..", ".", empty parts and control characters, such as /export';
}

/** Why a text is no mode of a folder, or undefined when it is one: octal, at most 3777. Set-uid means nothing for folders. */
export function permissionsFault(text: string): string | undefined {
  return PERMISSIONS.test(text) ? undefined : 'must be an octal mode such as 0777';
}

/** As mount(8) takes it: "files:/export/team-a/db", "[fd00::1]:/export". */
export function mountSource({ server, path, subDir }: ShareAddress): string {
  const host = server.includes(':') ? `[${server}]` : server;
  const base = path === '/' ? '' : path;
  return subDir === undefined ? `${host}:${path}` : `${host}:${base}/${subDir}`;
}

/** True for a share whose folder Holdfast makes and, when the volume goes, removes or renames. */
export function isOwned<S extends { readonly subDir?: string | undefined; readonly onDelete?: OnDelete | undefined }>(
  share: S,
): share is S & { readonly subDir: string } {
  return share.subDir !== undefined && share.onDelete !== 'retain';
}

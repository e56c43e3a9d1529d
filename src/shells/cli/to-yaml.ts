/**
 * YAML for output. Imported only when asked for, since most calls print none; and as this file instead of the package,
 * because the package is CommonJS: imported dynamically, its names are missing from the bundle.
 */
import { stringify } from 'yaml';

/** Writes data as YAML without aliases and folded lines, so that plans can be read back. */
export function toYaml(data: unknown): string {
  return stringify(data, { aliasDuplicateObjects: false, lineWidth: 0 });
}

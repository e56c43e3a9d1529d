/** Reads /proc/PID/mountinfo (proc(5)). */
import type { MountEntry } from '../../ports/host.ts';

/** A line of the mount table with what tells two mounts on one target apart. */
export interface MountInfo extends MountEntry {
  readonly id: number;
  /** `major:minor` of the file system's device. */
  readonly device: string;
}

/** Reads a whole mount table, in its order: of several mounts on one target the last is the one that is seen. */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): MountInfo | undefined {
  const fields = line.split(' ');
  // A lone "-" ends the optional fields, of which there may be any number.
  const separator = fields.indexOf('-', 6);
  const [id, , device, root, target, options] = fields;
  const [fsType, source, superOptions] = separator < 0 ? [] : fields.slice(separator + 1);
  if (device === undefined || target === undefined || options === undefined) return undefined;
  if (fsType === undefined || source === undefined) return undefined;
  return {
    id: Number(id),
    device,
    target: unescape(target),
    source: unescape(source),
    fsType,
    root: unescape(root ?? '/'),
    options: [...new Set([...options.split(','), ...(superOptions ?? '').split(',')])].filter((each) => each !== ''),
  };
}

/** The kernel writes space, tab, newline, backslash and "#" as three octal digits of one byte each. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

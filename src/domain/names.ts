/** Names given by people, checked once at the edge; everything behind it takes the branded type. */
import { AppError } from './errors.ts';

export type VolumeName = string & { readonly __name: 'volume' };
export type NodeName = string & { readonly __name: 'node' };
export type PoolName = string & { readonly __name: 'pool' };

/** RFC 1123 label, which is also safe as a path segment, a GlusterFS volume name and a command argument. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Why a text is not an RFC 1123 label, or undefined when it is one. */
export function labelFault(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text.length > 63) return `is ${text.length} characters long; at most 63 are allowed`;
  if (LABEL.test(text)) return undefined;
  return 'may hold only a-z, 0-9 and "-", and must begin and end with a letter or digit';
}

function parseLabel(what: string, text: string): string {
  const fault = labelFault(text);
  if (fault !== undefined) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
    throw new AppError('invalid', `${what} name ${JSON.stringify(shown)} ${fault}`, {
      reason: 'InvalidName',
      hint: `choose a name such as "${what}01"`,
    });
  }
  return text;
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parseVolumeName(text: string): VolumeName {
  return parseLabel('volume', text) as VolumeName;
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parseNodeName(text: string): NodeName {
  return parseLabel('node', text) as NodeName;
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parsePoolName(text: string): PoolName {
  return parseLabel('pool', text) as PoolName;
}

/** Names given by people, checked once at the edge; everything behind it takes the branded type. */
import { AppError } from './errors.ts';

export type VolumeName = string & { readonly __name: 'volume' };
/** What the engine calls a volume: the name of the Volume, unless somebody else made it (see volume/engine-name.ts). */
export type EngineVolumeName = string & { readonly __name: 'engine volume' };
export type NodeName = string & { readonly __name: 'node' };
export type PoolName = string & { readonly __name: 'pool' };

/** RFC 1123 label, which is also safe as a path segment, a GlusterFS volume name and a command argument. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What a node may be called: labels with dots between them, as the nodes of many clusters are (`kube1.example.com`). No longer than the
 * value of a label of Kubernetes, where topologies have it; safe as a path segment, as a host of GlusterFS and as an argument.
 */
export const NODE_NAME = /^(?=.{1,63}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** What volumes of GlusterFS may be called, and safe as a path segment and a command argument: Heketi's vol_8a7b is no label. */
export const ENGINE_VOLUME_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/;

/** Why a text is not an RFC 1123 label, or undefined when it is one. */
export function labelFault(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text.length > 63) return `is ${text.length} characters long; at most 63 are allowed`;
  if (LABEL.test(text)) return undefined;
  return 'may hold only a-z, 0-9 and "-", and must begin and end with a letter or digit';
}

/** Why a text cannot be the name of a node, or undefined when it can. */
export function nodeNameFault(text: string): string | undefined {
  if (text === '') return 'must not be empty';
  if (text.length > 63) return `is ${text.length} characters long; at most 63 are allowed`;
  if (NODE_NAME.test(text)) return undefined;
  return 'may hold only a-z, 0-9, "-" and ".", and each part must begin and end with a letter or digit';
}

function parseBy(faultOf: (text: string) => string | undefined, what: string, text: string): string {
  const fault = faultOf(text);
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
  return parseBy(labelFault, 'volume', text) as VolumeName;
}

/** @throws {AppError} invalid, when no volume of the engine can be called so */
export function parseEngineVolumeName(text: string): EngineVolumeName {
  if (ENGINE_VOLUME_NAME.test(text)) return text as EngineVolumeName;
  throw new AppError('invalid', `${JSON.stringify(text.slice(0, 40))} is no name of a volume in the engine`, {
    reason: 'InvalidName',
    hint: 'it may hold only letters, digits, "_", "-" and ".", and must begin with a letter, a digit or "_"',
  });
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parseNodeName(text: string): NodeName {
  return parseBy(nodeNameFault, 'node', text) as NodeName;
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parseLabName(text: string): string {
  return parseBy(labelFault, 'lab', text);
}

/** @throws {AppError} invalid, with what is wrong about the name */
export function parsePoolName(text: string): PoolName {
  return parseBy(labelFault, 'pool', text) as PoolName;
}

/**
 * Who may do what on the embedded API server, by client certificate. Pure. An agent reads everything that concerns
 * volumes and writes only what its own node is responsible for, so a captured node cannot speak for another.
 */
import { isDeepStrictEqual } from 'node:util';
import { NODE_NAME } from '../../domain/names.ts';
import { KEY_NODES_ANNOTATION } from '../../domain/volume/volume-key.ts';
import { resourceOf } from '../../schemas/kind-names.ts';
import { KINDS, type KindDefinition, type KindName, SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { GROUP } from '../../schemas/own-kind.ts';
import { isRecord, type KubeObject } from '../../usecases/resources/kube-object.ts';

export const ADMINS = 'holdfast:admins';
export const CONTROLLERS = 'holdfast:controllers';
export const NODES = 'holdfast:nodes';
/** What agents call themselves in events (controllers/agent/run-agent.ts). */
const AGENT_COMPONENT = 'holdfast-node';
const NODE_USER = new RegExp(`^holdfast:node:(?<node>${NODE_NAME.source.slice(1, -1)})$`);

/** What the agent of a node is called in its certificate. */
export function nodeUser(node: string): string {
  return `holdfast:node:${node}`;
}

/** From the subject of a verified client certificate. */
export interface Identity {
  /** Common name. */
  readonly user: string;
  /** Organizations. */
  readonly groups: readonly string[];
}

export interface Action {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  readonly kind: KindName;
  readonly subresource?: 'status' | undefined;
  /** Undefined for collections and creations. */
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/** What is wrong with a write, seen from the objects before and after it; undefined when nothing is. */
export type ChangeRule = (before: KubeObject | undefined, after: KubeObject | undefined) => string | undefined;

/** Why an object may not be read; undefined when it may. */
export type ReadRule = (object: KubeObject) => string | undefined;

export type Verdict =
  | { readonly isAllowed: true; readonly rule?: ChangeRule; readonly readRule?: ReadRule }
  | { readonly isAllowed: false; readonly message: string };

/** Decides on a request before its body is read; `rule` of a write, `readRule` of a read, must hold for the objects themselves. */
export function authorize(identity: Identity, action: Action): Verdict {
  const { groups } = identity;
  if (groups.includes(ADMINS) || groups.includes(CONTROLLERS)) return { isAllowed: true };
  if (!groups.includes(NODES)) {
    return refuse(identity, action, `only ${ADMINS}, ${CONTROLLERS} and ${NODES} may use this server`);
  }
  const node = NODE_USER.exec(identity.user)?.groups?.['node'];
  if (node === undefined) return refuse(identity, action, `members of ${NODES} must be called holdfast:node:NAME`);
  return authorizeNode(identity, node, action);
}

/** The sentence of a refusal: who may not do what, and why. */
export function describeRefusal(identity: Identity, action: Action, why: string): string {
  const resource = resourceOf(KINDS[action.kind]);
  const part = action.subresource === undefined ? '' : `/${action.subresource}`;
  const object = action.name === undefined ? '' : ` ${JSON.stringify(action.name)}`;
  const place = action.namespace === undefined ? '' : ` in namespace ${action.namespace}`;
  return `${JSON.stringify(identity.user)} may not ${action.verb} ${resource}${part}${object}${place}: ${why}`;
}

function refuse(identity: Identity, action: Action, why: string): Verdict {
  return { isAllowed: false, message: describeRefusal(identity, action, why) };
}

function authorizeNode(identity: Identity, node: string, action: Action): Verdict {
  if (isReadable(action)) return { isAllowed: true };
  if (action.kind === 'Secret' && action.verb === 'get') return { isAllowed: true, readRule: isKeyFor(node) };
  const rule = nodeRule(node, action);
  if (typeof rule === 'function') return { isAllowed: true, rule };
  return refuse(identity, action, rule);
}

function isReadable(action: Action): boolean {
  const definition: KindDefinition = KINDS[action.kind];
  const isRead = action.verb === 'get' || action.verb === 'list' || action.verb === 'watch';
  return isRead && (definition.group === GROUP || action.kind === 'Lease');
}

/** The keys of volumes with a copy on its node, one by one: it never sees a list of them. */
function isKeyFor(node: string): ReadRule {
  return ({ metadata }) => {
    const nodes = metadata.annotations?.[KEY_NODES_ANNOTATION]?.split(',') ?? [];
    return nodes.includes(node) ? undefined : 'an agent reads the keys of volumes with a copy on its node only';
  };
}

interface NodeRules {
  /** What it may do, for the refusal of everything else. */
  readonly summary: string;
  readonly create?: ChangeRule;
  /** Writes of the object itself. */
  readonly change?: ChangeRule;
  readonly status?: ChangeRule;
}

/** What a write of an agent must keep to, or why it may not make it at all. */
function nodeRule(node: string, action: Action): ChangeRule | string {
  const rules = nodeRules(node)[action.kind];
  if (rules === undefined) return 'agents have no business with it';
  const { verb, subresource } = action;
  if (verb === 'create') return rules.create ?? rules.summary;
  if (verb !== 'patch' && verb !== 'update') return rules.summary;
  return (subresource === 'status' ? rules.status : rules.change) ?? rules.summary;
}

function nodeRules(node: string): Partial<Record<KindName, NodeRules>> {
  const onNode: NodeRules = {
    summary: 'an agent may report the status of what is on its node, and remove finalizers there',
    status: isOnNode(node),
    change: all(isOnNode(node), onlyReleasesFinalizers),
  };
  return {
    StorageNode: {
      summary: 'an agent may create its own StorageNode and report its status',
      create: isNamed(node, 'an agent registers its own node only'),
      // Whether it is there is for the controller to say, who knows since when it hears from it; and who it is.
      status: all(
        isNamed(node, 'an agent reports on its own node only'),
        leavesStatusKey('conditions'),
        leavesStatusKey('certificate'),
      ),
    },
    VolumeCopy: onNode,
    VolumeAttachmentRecord: onNode,
    Volume: {
      summary: 'an agent may only report status.engine of volumes anchored on its node',
      status: all(isAnchor(node), onlyStatusKey('engine')),
    },
    StorageCluster: {
      summary: 'an agent may only report status.peers of a cluster anchored on its node',
      status: all(isAnchor(node), onlyStatusKey('peers')),
    },
    Task: {
      summary: 'an agent may only report status.parts of its own node',
      status: onlyPartOf(node),
    },
    VolumeSnapshotRecord: {
      summary: 'an agent may only report the images on its node, and as leader the barrier',
      status: onlyOwnImages(node),
    },
    VolumeGroupSnapshotRecord: {
      summary: 'an agent may only report status.images of a group whose volumes are on its node',
      status: all(isGroupNode(node), onlyStatusKey('images')),
    },
    Lease: {
      summary: 'an agent may create and renew the lease of its own node',
      create: isOwnLease(node),
      change: isOwnLease(node),
    },
    Event: {
      summary: 'an agent may create events of its own and count them up, nothing else',
      create: isFrom(node),
      change: all(isOwnEvent(node), onlyCountsUp),
    },
  };
}

function all(...rules: readonly ChangeRule[]): ChangeRule {
  return (before, after) => {
    for (const rule of rules) {
      const fault = rule(before, after);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}

function isNamed(node: string, why: string): ChangeRule {
  return (before, after) => ((before ?? after)?.metadata.name === node ? undefined : why);
}

function isOwnLease(node: string): ChangeRule {
  return (before, after) => {
    const metadata = (before ?? after)?.metadata;
    if (metadata?.name === node && metadata.namespace === SYSTEM_NAMESPACE) return undefined;
    return `an agent holds only the lease ${JSON.stringify(node)} in ${SYSTEM_NAMESPACE}`;
  };
}

function isOnNode(node: string): ChangeRule {
  return (before) => {
    const place = field(before, 'spec', 'node');
    return place === node ? undefined : `it is on node ${JSON.stringify(place)}`;
  };
}

/** How far the images on its own node are, and the barrier while it is the leader as stored; never where images are. */
function onlyOwnImages(node: string): ChangeRule {
  const others = (object: KubeObject | undefined, before: KubeObject | undefined): unknown => {
    const status = object?.['status'];
    const copies = field(object, 'status', 'copies');
    const stripped = Object.entries(isRecord(copies) ? copies : {}).map(([name, copy]) => {
      const isOwn = isRecord(copy) && copy['node'] === node;
      return [name, isOwn ? without(without(without(copy, 'state'), 'bytes'), 'message') : copy];
    });
    const rest = without(status, 'copies');
    const isLeader = field(before, 'status', 'leader') === node;
    return { ...(isLeader ? without(rest, 'barrier') : rest), copies: Object.fromEntries(stripped) };
  };
  return (before, after) => {
    const same = isDeepStrictEqual(others(before, before), others(after, before));
    return same ? undefined : 'an agent may report only the images on its node, and as leader the barrier';
  };
}

/** The anchor as it is stored: an agent that lost the role cannot write on, whatever it believes. */
function isAnchor(node: string): ChangeRule {
  return (before) => {
    const anchor = field(before, 'status', 'anchor');
    return anchor === node ? undefined : `its anchor is ${anchor === undefined ? 'no node' : JSON.stringify(anchor)}`;
  };
}

/** The node as it is stored. */
function isGroupNode(node: string): ChangeRule {
  return (before) => (field(before, 'status', 'node') === node ? undefined : 'its volumes are on another node');
}

/** People act on what events say: none is in the name of the controller, or of another node. */
function isFrom(node: string): ChangeRule {
  return (_before, after) => {
    if (isSaidBy(node, after)) return undefined;
    return `an agent reports events with source.component ${AGENT_COMPONENT} and source.host ${node}`;
  };
}

function isOwnEvent(node: string): ChangeRule {
  return (before) => (isSaidBy(node, before) ? undefined : 'an agent counts up its own events only');
}

function isSaidBy(node: string, event: KubeObject | undefined): boolean {
  const source = event?.['source'];
  return isRecord(source) && source['component'] === AGENT_COMPONENT && source['host'] === node;
}

/** What happens again: how often, when last and, where several are told as one, what was said last. */
const onlyCountsUp: ChangeRule = (before, after) => {
  const rest = (event: KubeObject | undefined) => {
    const told = without(without(without(event, 'count'), 'lastTimestamp'), 'message');
    return { ...told, metadata: { ...event?.metadata, resourceVersion: '', generation: 0 } };
  };
  const same = isDeepStrictEqual(rest(before), rest(after));
  return same ? undefined : 'an agent may change only count, lastTimestamp and message of an event';
};

function leavesStatusKey(key: string): ChangeRule {
  return (before, after) => {
    const [was, is] = [field(before, 'status', key), field(after, 'status', key)];
    return isDeepStrictEqual(was, is) ? undefined : `an agent may not change status.${key}`;
  };
}

function onlyStatusKey(key: string): ChangeRule {
  return (before, after) => {
    const same = isDeepStrictEqual(without(before?.['status'], key), without(after?.['status'], key));
    return same ? undefined : `an agent may change only status.${key}`;
  };
}

/** Each agent says what its own node did; whether the whole is done is for the controller to say. */
function onlyPartOf(node: string): ChangeRule {
  const others = (object: KubeObject | undefined) => {
    const parts = field(object, 'status', 'parts');
    return { ...without(object?.['status'], 'parts'), parts: without(parts, node) };
  };
  return (before, after) =>
    isDeepStrictEqual(others(before), others(after)) ? undefined : `an agent may change only status.parts.${node}`;
}

const onlyReleasesFinalizers: ChangeRule = (before, after) => {
  // Before that a finalizer is what keeps a deletion from overtaking the node that has something to remove.
  if (before?.metadata.deletionTimestamp === undefined) {
    return 'an agent may remove finalizers only from what is being deleted';
  }
  const held = before?.metadata.finalizers ?? [];
  const isReleased = (after?.metadata.finalizers ?? []).every((finalizer) => held.includes(finalizer));
  const same = isDeepStrictEqual(withoutFinalizers(before), withoutFinalizers(after));
  return isReleased && same ? undefined : 'an agent may remove finalizers from it and change nothing else';
};

function withoutFinalizers(object: KubeObject | undefined): unknown {
  return { ...object, metadata: { ...without(object?.metadata, 'finalizers'), resourceVersion: '' } };
}

function without(value: unknown, key: string): Record<string, unknown> {
  if (!isRecord(value)) return {};
  const { [key]: _left, ...rest } = value;
  return rest;
}

function field(object: KubeObject | undefined, part: 'spec' | 'status', key: string): unknown {
  const section = object?.[part];
  return isRecord(section) ? section[key] : undefined;
}

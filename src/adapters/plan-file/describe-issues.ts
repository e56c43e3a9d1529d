/** From the schema's issues to faults in words: what is wrong at which path, and what to write instead. */
import type { z } from 'zod';
import { nearest } from '../../domain/nearest.ts';
import type { PlanFault, PlanPath } from '../../domain/plan/fault.ts';
import { PlanFile } from '../../schemas/plan-file.ts';

type Issue = z.core.$ZodIssue;

/** What to write where a required field is missing, by the path without its indexes. */
const REQUIRED: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  'storage.nodes.host': ['Node host field is required', 'add the name of the machine, for example "host: kube1"'],
  'storage.nodes.ip': ['Node IP field is required', 'add the address of the machine, for example "ip: 10.91.0.1"'],
  'storage.nodes.taints.key': ['is required', 'add the key of the taint'],
  'storage.nodes.taints.effect': ['is required', 'add NoSchedule, PreferNoSchedule or NoExecute'],
  'storage.nodes.pools.name': ['is required', 'add a name, for example "name: default"'],
  'storage.nodes.pools.path': ['is required', 'add the directory where the pool is mounted'],
  'nfs.nfs_volume.nfs_host': ['NFS volume host cannot be empty', 'add the name or address of the file server'],
  'nfs.nfs_volume.mount_path': ['NFS volume path cannot be empty', 'add the exported path'],
  'volumes.name': ['is required', 'add a name, for example "name: gv0"'],
  'volumes.size': ['is required', 'add a size with its unit, for example "size: 10Gi"'],
  'volumes.mount.path': ['is required', 'add the directory to mount at, for example "path: /data"'],
  'volumes.mount.nodes': ['is required', 'add "nodes: all", or a list of nodes'],
};

/** The faults of one issue; several for an issue about several unknown keys. */
export function describeIssue(issue: Issue, plan: unknown): readonly PlanFault[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const pattern = path.filter((part) => typeof part === 'string').join('.');
  const found = valueAt(plan, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => describeUnknown(key, path));
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => describeKey(inner.message, path));
  if (found === undefined) {
    const [message, fix] = REQUIRED[pattern] ?? ['is required', 'add it'];
    return [{ path, at: 'value', message, fix }];
  }
  return [describeValue(issue, path, { pattern, found })];
}

function describeUnknown(key: string, parent: PlanPath): PlanFault {
  const known = knownKeys(parent);
  const meant = nearest(key, known);
  const fix = meant === undefined ? `the keys here are ${known.join(', ')}` : `did you mean ${meant}?`;
  return { path: [...parent, key], at: 'key', message: `unknown key ${JSON.stringify(key)}`, fix };
}

function describeKey(text: string, path: PlanPath): PlanFault {
  const [message = '', fix = 'correct the key'] = text.split('; ', 2);
  return { path, at: 'key', message, fix };
}

function describeValue(
  issue: Issue,
  path: PlanPath,
  seen: { readonly pattern: string; readonly found: unknown },
): PlanFault {
  const { found } = seen;
  if (seen.pattern === 'volumes.size' && typeof found === 'number' && Number.isFinite(found)) {
    return wrong(path, `${found} has no unit`, `write ${found}Gi for ${found} GiB`);
  }
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected, path, found);
    case 'invalid_value':
      return describeChoice(issue.values.map(String), path, found);
    case 'too_big':
      if (ownsMessage(issue.message)) break;
      return wrong(path, `${show(found)} is too large: at most ${issue.maximum}`, 'lower it');
    case 'too_small':
      if (ownsMessage(issue.message)) break;
      return wrong(path, `${show(found)} is too small: at least ${issue.minimum}`, 'raise it');
    default:
  }
  return describeSentence(issue.message, path, found);
}

function describeChoice(values: readonly string[], path: PlanPath, found: unknown): PlanFault {
  const meant = nearest(String(found), values);
  const fix = meant === undefined ? `choose ${values.join(', ')}` : `did you mean ${meant}?`;
  // A long list is said once.
  const isLong = meant === undefined && values.length > 4;
  return wrong(path, isLong ? `${show(found)} is not known` : `${show(found)} is none of ${values.join(', ')}`, fix);
}

/** A message of our own schemas: "what is wrong; what to do". */
function describeSentence(sentence: string, path: PlanPath, found: unknown): PlanFault {
  const [message = '', fix] = sentence.split('; ', 2);
  // A sentence about the value needs the value; Kismatic's sentences stand by themselves.
  const text = /^(?:is|may|must|holds) /.test(message) ? `${show(found)} ${message}` : message;
  return wrong(path, text, fix ?? FIXES.find(([pattern]) => pattern.test(message))?.[1] ?? 'correct it');
}

/** Fixes for messages of shared schemas, which have none of their own. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [/^must be an absolute path/, 'begin it with "/"'],
  [/^must not hold "\.\."/, 'write the path out'],
  [/^(?:may hold only|must not be empty)/, 'choose a name such as default, gv0 or zone-a'],
  [/characters long/, 'choose a shorter name'],
  [/is not a host name/, 'use letters, digits, "-" and "."'],
];

function ownsMessage(message: string): boolean {
  return !/^(?:Too |Invalid )/.test(message);
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a group of keys',
  record: 'a group of keys',
  array: 'a list',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function describeType(expected: string, path: PlanPath, found: unknown): PlanFault {
  const message = `must be ${WORDS[expected] ?? expected}, not ${show(found)}`;
  if (expected === 'string' && typeof found !== 'object') return wrong(path, message, 'put it in quotes');
  if (expected === 'array') return wrong(path, message, 'begin each entry with "- "');
  return wrong(
    path,
    message,
    expected === 'object' || expected === 'record' ? 'write "key: value" lines below it' : 'correct it',
  );
}

function wrong(path: PlanPath, message: string, fix: string): PlanFault {
  return { path, at: 'value', message, fix };
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a group of keys';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

function valueAt(plan: unknown, path: PlanPath): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Readonly<Record<string | number, unknown>>)[part];
  }, plan);
}

/** The keys that the schema knows at a path. */
function knownKeys(path: PlanPath): readonly string[] {
  let schema: unknown = PlanFile;
  for (const part of path) {
    const inner = unwrap(schema);
    if (typeof part === 'number') schema = (inner as { readonly element?: unknown }).element;
    else schema = (inner as { readonly shape?: Readonly<Record<string, unknown>> }).shape?.[part];
  }
  return Object.keys((unwrap(schema) as { readonly shape?: object } | undefined)?.shape ?? {});
}

function unwrap(schema: unknown): unknown {
  const optional = schema as { readonly unwrap?: () => unknown; readonly def?: { readonly type?: string } } | undefined;
  return optional?.def?.type === 'optional' ? optional.unwrap?.() : schema;
}

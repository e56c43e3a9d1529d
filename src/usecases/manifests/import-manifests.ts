/** Makes classes and claims of another storage system those of Holdfast, and creates them where that is asked for. */
import { AppError } from '../../domain/errors.ts';
import { checkFields } from '../../domain/manifest/check-fields.ts';
import { checkClaims } from '../../domain/manifest/claims.ts';
import { findObjects } from '../../domain/manifest/find-objects.ts';
import { type ManifestObject, textAt, textsAt } from '../../domain/manifest/finding.ts';
import { checkParameters, checkProvisioners } from '../../domain/manifest/foreign-classes.ts';
import { importClaims, importClasses, importLabels } from '../../domain/manifest/import-rules.ts';
import { checkAnnotations, checkVersions } from '../../domain/manifest/old-names.ts';
import type { ResourceClient } from '../../ports/resource-client.ts';
import { readManifestDocument } from '../../schemas/manifest-text.ts';
import { type LintedFile, lintManifests, type ManifestFile } from './lint-manifests.ts';
import { splitDocuments } from './split-documents.ts';

const RULES = [
  ...[checkVersions, importClasses, importClaims, checkAnnotations, importLabels, checkFields, checkProvisioners],
  ...[checkParameters, checkClaims],
];

export interface ImportedObject {
  readonly kind: 'StorageClass' | 'PersistentVolumeClaim';
  readonly name: string;
  /** Empty for a StorageClass, which has none. */
  readonly namespace: string;
  readonly action: 'create' | 'unchanged';
}

/** The manifests as they are with Holdfast. Findings that are not corrected stand against it. */
export function importManifests(files: readonly ManifestFile[]): readonly LintedFile[] {
  return lintManifests(files, RULES);
}

/**
 * Creates the classes and claims of imported manifests; other objects are left to others. Either all of them can be there or
 * none is created.
 *
 * @throws {AppError} precondition, naming what is there already and is another
 */
export async function applyImported(
  client: ResourceClient,
  texts: readonly string[],
  { isDryRun, signal }: { readonly isDryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly ImportedObject[]> {
  const objects = texts.flatMap(readObjects).filter(({ kind }) => KINDS.some((each) => each === kind));
  const judged: { readonly object: ManifestObject; readonly found: ImportedObject }[] = [];
  // Classes first: claims are of them.
  for (const kind of KINDS) {
    for (const object of objects.filter((each) => each.kind === kind)) {
      judged.push({ object, found: await judge(client, kind, { object, signal }) });
    }
  }
  for (const { object, found } of judged) {
    if (isDryRun || found.action === 'unchanged') continue;
    const { apiVersion: _version, kind: _kind, ...value } = object.value as Readonly<Record<string, unknown>>;
    const scope = found.kind === 'StorageClass' ? { signal } : { signal, namespace: object.namespace };
    await client.create(found.kind, { ...value, metadata: { ...metadataOf(value), name: object.name } }, scope);
  }
  return judged.map(({ found }) => found);
}

const KINDS = ['StorageClass', 'PersistentVolumeClaim'] as const;

function readObjects(text: string): readonly ManifestObject[] {
  return splitDocuments(text).flatMap((part, at) => findObjects(readManifestDocument(part.text).value(), at));
}

function metadataOf(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { metadata } = value;
  return typeof metadata === 'object' && metadata !== null ? { ...metadata } : {};
}

interface Judging {
  readonly object: ManifestObject;
  readonly signal: AbortSignal;
}

function judge(client: ResourceClient, kind: ImportedObject['kind'], judging: Judging): Promise<ImportedObject> {
  return kind === 'StorageClass' ? judgeClass(client, judging) : judgeClaim(client, judging);
}

async function judgeClass(client: ResourceClient, { object, signal }: Judging): Promise<ImportedObject> {
  const { name, value } = object;
  const existing = await client.get('StorageClass', name, { signal });
  const found = { kind: 'StorageClass', name, namespace: '' } as const;
  if (existing === undefined) return { ...found, action: 'create' };
  const { provisioner, parameters = {} } = existing;
  const isSame =
    provisioner === textAt(value, ['provisioner']) && sameTexts(parameters, textsAt(value, ['parameters']));
  if (!isSame) throw classInTheWay(name, provisioner);
  return { ...found, action: 'unchanged' };
}

async function judgeClaim(client: ResourceClient, { object, signal }: Judging): Promise<ImportedObject> {
  const { name, namespace, value } = object;
  const existing = await client.get('PersistentVolumeClaim', name, { signal, namespace });
  const found = { kind: 'PersistentVolumeClaim', name, namespace } as const;
  if (existing === undefined) return { ...found, action: 'create' };
  if (existing.spec.storageClassName !== textAt(value, ['spec', 'storageClassName'])) {
    throw claimInTheWay(namespace, name);
  }
  return { ...found, action: 'unchanged' };
}

function sameTexts(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => one[key] === other[key]);
}

function classInTheWay(name: string, provisioner: string): AppError {
  return new AppError(
    'precondition',
    `StorageClass ${name} is there already, of provisioner ${provisioner}; nothing was created`,
    {
      ...{ resource: `storageclass ${name}`, reason: 'ClassExists' },
      hint: `a class cannot be changed; its volumes do not need it any more: kubectl delete storageclass ${name}`,
    },
  );
}

function claimInTheWay(namespace: string, name: string): AppError {
  return new AppError(
    'precondition',
    `claim ${namespace}/${name} is there already, of another class; nothing was created`,
    {
      ...{ resource: `persistentvolumeclaim ${namespace}/${name}`, reason: 'ClaimExists' },
      hint: 'give the imported claim another name, copy the data, and let its pods use that one',
    },
  );
}

/** A PersistentVolumeClaim with its StorageClass in a YAML file, read as external-provisioner would. */
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseQuantity } from '../domain/bytes.ts';
import { readClassParameters } from '../domain/csi/claims.ts';
import { AppError } from '../domain/errors.ts';
import { CLAIM_MODES, type Claim } from './claim.ts';
import { Label, ObjectMeta, Quantity } from './common.ts';

const NAMESPACE = 'default';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
/** The way claims said it before they had a field for it. */
const CLASS = 'volume.beta.kubernetes.io/storage-class';

const Metadata = ObjectMeta.extend({ name: Label, namespace: Label.optional(), uid: z.uuid().optional() });

/** What there is no way to follow without an API server is refused, not passed over. */
const ManifestClaim = z.looseObject({
  apiVersion: z.literal('v1'),
  metadata: Metadata,
  spec: z.looseObject({
    accessModes: z.array(z.enum(CLAIM_MODES)).min(1),
    resources: z.looseObject({
      requests: z.looseObject({ storage: Quantity }),
      limits: z.looseObject({ storage: Quantity.optional() }).optional(),
    }),
    storageClassName: z.string().optional(),
    volumeMode: z.literal('Filesystem', { error: 'only Filesystem can be used by a command of a lab' }).optional(),
    ...Object.fromEntries(
      ['dataSource', 'dataSourceRef', 'selector', 'volumeName', 'volumeAttributesClassName'].map((field) => [
        field,
        z.undefined({ error: 'needs an API server; leave it out' }).optional(),
      ]),
    ),
  }),
});
type ManifestClaim = z.infer<typeof ManifestClaim>;

const ManifestClass = z.looseObject({
  apiVersion: z.literal('storage.k8s.io/v1'),
  metadata: ObjectMeta.extend({ name: z.string() }),
  provisioner: z.string(),
  parameters: z.record(z.string(), z.string()).optional(),
  mountOptions: z.array(z.string()).optional(),
});
type ManifestClass = z.infer<typeof ManifestClass>;

/**
 * Reads the one claim of a file and its class; objects of other kinds, such as the pod, are passed over.
 *
 * @param file - for messages
 * @param driver - name of the driver that the class has to ask for
 * @throws {AppError} invalid, with what is wrong where; unsupported
 */
export function readClaimManifest(text: string, file: string, driver: string): Claim {
  const objects = readObjects(text, file);
  const claims = objects.filter((object) => object.kind === 'PersistentVolumeClaim');
  const [first, ...others] = claims;
  if (first === undefined || others.length > 0) {
    const found = first === undefined ? 'no PersistentVolumeClaim' : `${claims.length} PersistentVolumeClaims`;
    throw new AppError('invalid', `${file} holds ${found}, and one is needed`);
  }
  const claim = check(ManifestClaim, first, `${file}: the claim`);
  const classes = objects
    .filter((object) => object.kind === 'StorageClass')
    .map((object) => check(ManifestClass, object, `${file}: a StorageClass`));
  return join(claim, chooseClass(claim, classes, file), driver);
}

function readObjects(text: string, file: string): readonly { readonly kind?: unknown }[] {
  const documents = parseAllDocuments(text);
  const fault = documents.flatMap((document) => document.errors)[0];
  if (fault !== undefined) throw new AppError('invalid', `${file} is no YAML: ${fault.message.split('\n')[0]}`);
  const values = documents.map((document): unknown => document.toJS({ maxAliasCount: 0 }));
  return values.filter((value): value is object => typeof value === 'object' && value !== null);
}

function check<T extends z.ZodType>(schema: T, object: unknown, what: string): z.infer<T> {
  const parsed = schema.safeParse(object);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid', `${what} cannot be read`, {
    faults: parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message })),
  });
}

/** None, where the claim names none and the file has no default: the driver's own defaults then. */
function chooseClass(
  { metadata, spec }: ManifestClaim,
  classes: readonly ManifestClass[],
  file: string,
): ManifestClass | undefined {
  const name = spec.storageClassName ?? metadata.annotations?.[CLASS];
  if (name === undefined) {
    return classes.find((each) => each.metadata.annotations?.[DEFAULT_CLASS] === 'true');
  }
  const found = classes.find((each) => each.metadata.name === name);
  if (found !== undefined || name === '') return found;
  throw new AppError(
    'invalid',
    `${file} has no StorageClass ${JSON.stringify(name.slice(0, 80))}, which the claim names`,
    {
      hint: 'put it into the same file, after a line of ---',
    },
  );
}

function join({ metadata, spec }: ManifestClaim, chosen: ManifestClass | undefined, driver: string): Claim {
  if (chosen !== undefined && chosen.provisioner !== driver) {
    throw new AppError('invalid', `StorageClass ${chosen.metadata.name} is of provisioner ${chosen.provisioner}`, {
      hint: `only those of ${driver} can be used here`,
    });
  }
  const limit = spec.resources.limits?.storage;
  return {
    ...{ namespace: metadata.namespace ?? NAMESPACE, name: metadata.name },
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    requiredBytes: parseQuantity(spec.resources.requests.storage),
    ...(limit === undefined ? {} : { limitBytes: parseQuantity(limit) }),
    accessModes: spec.accessModes,
    ...readClassParameters(chosen?.parameters ?? {}),
    mountOptions: chosen?.mountOptions ?? [],
  };
}

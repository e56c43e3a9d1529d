/** Selectors, the labels they are to find, and the mounts of a pod: what in one manifest names something in another place. */

import { templatePathOf } from './find-objects.ts';
import {
  type Edit,
  listAt,
  type ManifestObject,
  type ManifestPath,
  type RuleFinding,
  textAt,
  textsAt,
  valueAt,
} from './finding.ts';

const WORKLOADS = ['StatefulSet', 'Deployment', 'DaemonSet', 'ReplicaSet'];
type Labels = Readonly<Record<string, string>>;

/** The rule: a workload has to find its own pods. */
export function checkWorkloads(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.filter(({ kind }) => WORKLOADS.includes(kind)).flatMap((object) => checkWorkload(object, objects));
}

const SELECTOR: ManifestPath = ['spec', 'selector', 'matchLabels'];
const LABELS: ManifestPath = ['spec', 'template', 'metadata', 'labels'];

function checkWorkload(object: ManifestObject, objects: readonly ManifestObject[]): readonly RuleFinding[] {
  const selector = textsAt(object.value, SELECTOR);
  const labels = textsAt(object.value, LABELS);
  const hasSelector = valueAt(object.value, ['spec', 'selector']) !== undefined;
  if (!hasSelector) return [missingSelector(object, labels, objects)];
  const missing = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  if (missing.length === 0) return [];
  const wrong = missing.some(([key]) => labels[key] !== undefined);
  return [
    {
      ...({
        rule: 'selector',
        severity: 'error',
        object,
        path: Object.keys(labels).length === 0 ? SELECTOR : LABELS,
      } as const),
      message: `the selector asks for ${describe(selector)}, and the template gives its pods ${describe(labels)}`,
      fix: wrong ? 'let both say the same' : `give the template the labels ${describe(Object.fromEntries(missing))}`,
      ...(wrong ? {} : { edits: missing.map(([key, value]): Edit => ({ path: [...LABELS, key], set: value })) }),
    },
  ];
}

/** What its pods have chooses them; else what the Service asks for that the StatefulSet names; else the name, which is any. */
function missingSelector(object: ManifestObject, labels: Labels, objects: readonly ManifestObject[]): RuleFinding {
  const service = serviceOf(object, objects);
  const asked = service === undefined ? {} : textsAt(service.value, ['spec', 'selector']);
  const hasLabels = Object.keys(labels).length > 0;
  const fromService = Object.keys(asked).length > 0;
  const chosen = hasLabels ? labels : fromService ? asked : { app: object.name };
  const reason = hasLabels
    ? 'as the template has it'
    : fromService
      ? `as the Service ${service?.name} asks for`
      : 'any name will do';
  return {
    ...({ rule: 'selector', severity: 'error', object, path: ['spec'] } as const),
    message: `the ${object.kind} has no selector${hasLabels ? '' : ', and its pods no labels'}; apps/v1 needs both`,
    fix: `write selector: { matchLabels: ${describe(chosen)} }${hasLabels ? '' : ', and these labels in the template'}: ${reason}`,
    edits: [
      { path: ['spec', 'selector'], set: { matchLabels: chosen } },
      ...(hasLabels ? [] : [{ path: LABELS, set: chosen }]),
    ],
  };
}

function serviceOf(object: ManifestObject, objects: readonly ManifestObject[]): ManifestObject | undefined {
  const name = textAt(object.value, ['spec', 'serviceName']);
  return objects.find((each) => each.kind === 'Service' && each.name === name && each.namespace === object.namespace);
}

/** The rule: a Service finds the pods that are in the same files, and a StatefulSet its Service. */
export function checkServices(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  const services = objects.filter(({ kind }) => kind === 'Service');
  return [
    ...services.flatMap((service) => checkService(service, objects)),
    ...objects.filter(({ kind }) => kind === 'StatefulSet').flatMap((set) => checkServiceName(set, services)),
  ];
}

function checkService(service: ManifestObject, objects: readonly ManifestObject[]): readonly RuleFinding[] {
  const selector = Object.entries(textsAt(service.value, ['spec', 'selector']));
  const pods = objects.filter((each) => each.namespace === service.namespace && templatePathOf(each) !== undefined);
  if (selector.length === 0 || pods.length === 0) return [];
  const isFound = pods.some((each) => {
    const labels = textsAt(each.value, [...(templatePathOf(each) ?? []), 'metadata', 'labels']);
    return selector.every(([key, value]) => labels[key] === value);
  });
  if (isFound) return [];
  return [
    {
      ...({ rule: 'service-selector', severity: 'warning', object: service, path: ['spec', 'selector'] } as const),
      message: `the selector ${describe(Object.fromEntries(selector))} finds no pod of these files`,
      fix: 'let it name labels that the pods have',
    },
  ];
}

function checkServiceName(set: ManifestObject, services: readonly ManifestObject[]): readonly RuleFinding[] {
  const path = ['spec', 'serviceName'];
  const name = textAt(set.value, path);
  if (name === undefined || services.length === 0) return [];
  const service = services.find((each) => each.name === name && each.namespace === set.namespace);
  if (service === undefined) {
    const names = services.map((each) => each.name).join(', ');
    const message = `serviceName names ${name}, and the Services of these files are ${names}`;
    return [{ rule: 'service-name', severity: 'warning', object: set, path, message, fix: 'name one of them' }];
  }
  if (textAt(service.value, ['spec', 'clusterIP']) === 'None') return [];
  return [
    {
      ...({ rule: 'service-name', severity: 'warning', object: set, path } as const),
      message: `the Service ${name} is not headless, so the pods of the set get no names of their own in DNS`,
      fix: 'write clusterIP: None in the Service',
    },
  ];
}

/** The rule: what a container mounts has to be a volume of its pod. */
export function checkMounts(objects: readonly ManifestObject[]): readonly RuleFinding[] {
  return objects.flatMap((object) => {
    const template = templatePathOf(object);
    if (template === undefined) return [];
    const own = listAt(object.value, [...template, 'spec', 'volumes']).flatMap(
      (volume) => textAt(volume, ['name']) ?? [],
    );
    const claimed = listAt(object.value, ['spec', 'volumeClaimTemplates']).flatMap(
      (each) => textAt(each, ['metadata', 'name']) ?? [],
    );
    const known = [...own, ...(object.kind === 'StatefulSet' ? claimed : [])];
    return ['initContainers', 'containers'].flatMap((list) =>
      listAt(object.value, [...template, 'spec', list]).flatMap((container, at) =>
        missingMounts(container, known).map(({ index, name, field }) => ({
          ...({ rule: 'volume-mount', severity: 'error', object } as const),
          path: [...template, 'spec', list, at, field, index, 'name'],
          message: `the container mounts ${name}, and the pod has ${known.length === 0 ? 'no volumes' : `the volumes ${known.join(', ')}`}`,
          fix: `name a volume of the pod, or add ${name} to its volumes`,
        })),
      ),
    );
  });
}

function missingMounts(
  container: unknown,
  known: readonly string[],
): readonly { readonly index: number; readonly name: string; readonly field: string }[] {
  return ['volumeMounts', 'volumeDevices'].flatMap((field) =>
    listAt(container, [field]).flatMap((mount, index) => {
      const name = textAt(mount, ['name']);
      return name === undefined || known.includes(name) ? [] : [{ index, name, field }];
    }),
  );
}

function describe(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}: ${value}`);
  return pairs.length === 0 ? 'none' : `{ ${pairs.join(', ')} }`;
}

/** What an installation may be told, once with its defaults and once as the placeholders of a Helm template. */
import { VERSION } from '../../src/main/version.ts';
import { programs } from '../k8s/programs.ts';
import type { Json } from './crd-schema.ts';

export interface Values {
  readonly registry: string;
  readonly tag: string;
  readonly pullPolicy: string;
  readonly sidecarRegistry: string;
  /** Each sidecar's, in the order of {@link SIDECAR_NAMES}. */
  readonly sidecarTags: Readonly<Record<SidecarName, string>>;
  readonly sidecarRates: SidecarRates;
  readonly replicas: number | string;
  readonly logLevel: string;
  /** Whether a class of this name is the default one: "true" or "false". */
  readonly isDefault: (className: string) => string;
  /** True for templates, which have lines that may come out empty. */
  readonly isTemplate: boolean;
}

export const SIDECAR_NAMES = ['csi-provisioner', 'csi-attacher', 'csi-resizer', 'csi-snapshotter'] as const;
export type SidecarName = (typeof SIDECAR_NAMES)[number];

/** How often a sidecar may ask the API server; as placeholders of a template too. */
export interface SidecarRates {
  /** Questions to the API server a second, in the long run. */
  readonly kubeApiQps: number | string;
  /** Questions to the API server that it may have saved up for a moment of many. */
  readonly kubeApiBurst: number | string;
}

/** The versions that the tests on a real Kubernetes run with. */
function testedTags(): Readonly<Record<SidecarName, string>> {
  const versions = new Map<string, string>(programs().map(({ name, version }) => [name, version]));
  const tag = (name: SidecarName): [SidecarName, string] => [name, versions.get(name) ?? ''];
  return Object.fromEntries(SIDECAR_NAMES.map(tag)) as Record<SidecarName, string>;
}

export interface DefaultValues {
  readonly image: { readonly registry: string; readonly tag: string; readonly pullPolicy: string };
  readonly sidecars: {
    readonly registry: string;
    readonly provisioner: string;
    readonly attacher: string;
    readonly resizer: string;
    readonly snapshotter: string;
    readonly kubeApiQps: number;
    readonly kubeApiBurst: number;
  };
  readonly controller: { readonly replicas: number };
  readonly snapshots: { readonly enabled: boolean };
  readonly scheduling: {
    readonly enabled: boolean;
    readonly certificate: { readonly secretName: string; readonly caBundle: string };
    readonly webhook: boolean;
    readonly schedulerName: string;
  };
  readonly scheduler: {
    readonly enabled: boolean;
    readonly image: string;
    readonly tag: string;
    readonly replicas: number;
  };
  readonly metrics: {
    readonly enabled: boolean;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly serviceMonitor: { readonly enabled: boolean; readonly interval: string };
    readonly prometheusRule: { readonly enabled: boolean };
  };
  readonly defaultClass: string;
  readonly logLevel: string;
  readonly apiServer: { readonly host: string; readonly port: string };
}

/** values.yaml of the chart. */
export function defaultValues(): DefaultValues {
  return {
    image: { registry: 'holdfast.dev', tag: VERSION, pullPolicy: 'IfNotPresent' },
    sidecars: {
      registry: 'registry.k8s.io/sig-storage',
      provisioner: testedTags()['csi-provisioner'],
      attacher: testedTags()['csi-attacher'],
      resizer: testedTags()['csi-resizer'],
      snapshotter: testedTags()['csi-snapshotter'],
      // Each claim costs some questions: at the 5 a second of their makers a hundred would wait for those. bench/k8s.ts compares both.
      ...{ kubeApiQps: 50, kubeApiBurst: 100 },
    },
    controller: { replicas: 2 },
    snapshots: { enabled: false },
    scheduling: {
      ...{ enabled: false, certificate: { secretName: '', caBundle: '' } },
      ...{ webhook: false, schedulerName: 'holdfast' },
    },
    scheduler: { enabled: false, image: 'registry.k8s.io/kube-scheduler', tag: '', replicas: 2 },
    metrics: {
      ...{ enabled: false, namespace: '', labels: {} },
      serviceMonitor: { enabled: false, interval: '30s' },
      prometheusRule: { enabled: false },
    },
    defaultClass: '',
    logLevel: 'info',
    apiServer: { host: '', port: '443' },
  };
}

/** For the manifest. */
export function manifestValues(): Values {
  const { image, sidecars, controller, logLevel } = defaultValues();
  return {
    ...image,
    sidecarRegistry: sidecars.registry,
    sidecarTags: testedTags(),
    sidecarRates: sidecars,
    replicas: controller.replicas,
    logLevel,
    isDefault: () => 'false',
    isTemplate: false,
  };
}

/** For the chart. No quotation marks: each is a whole text of YAML in quotation marks, or a part of one. */
export function templateValues(): Values {
  const value = (path: string): string => `{{ .Values.${path} }}`;
  return {
    registry: value('image.registry'),
    tag: value('image.tag'),
    pullPolicy: value('image.pullPolicy'),
    sidecarRegistry: value('sidecars.registry'),
    sidecarTags: {
      'csi-provisioner': value('sidecars.provisioner'),
      'csi-attacher': value('sidecars.attacher'),
      'csi-resizer': value('sidecars.resizer'),
      'csi-snapshotter': value('sidecars.snapshotter'),
    },
    sidecarRates: {
      kubeApiQps: value('sidecars.kubeApiQps'),
      kubeApiBurst: value('sidecars.kubeApiBurst'),
    },
    replicas: value('controller.replicas'),
    logLevel: value('logLevel'),
    isDefault: (className) => `{{ eq .Values.defaultClass \`${className}\` }}`,
    isTemplate: true,
  };
}

/** For clusters whose service network is not there yet, or not at all; chart.ts makes lines of it. */
export function apiServerEnv(isTemplate: boolean): readonly Json[] {
  return isTemplate ? [{ name: '@@API_SERVER' }] : [];
}

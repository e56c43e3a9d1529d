/** What the test kit of Kubernetes runs: the API server, built from its pinned Go module, and programs of Debian. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../project.ts';

/** Folder of go.mod. */
export const MODULE: string = join(ROOT, 'tools/k8s/modules/kubernetes');

/** Version of Kubernetes that go.mod pins: "v1.36.3". */
export function kubernetesVersion(): string {
  const version = /k8s\.io\/kubernetes (?<version>v\S+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))?.groups?.[
    'version'
  ];
  if (version === undefined) throw new Error(`${MODULE}/go.mod does not say which Kubernetes`);
  return version;
}

/** Programs that the kit needs besides, and the Debian packages that have them. */
export const KIT_PROGRAMS = [
  { program: 'etcd', debianPackage: 'etcd-server' },
  { program: 'kubectl', debianPackage: 'kubernetes-client' },
] as const;

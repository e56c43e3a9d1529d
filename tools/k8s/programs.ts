/** The programs of Kubernetes that its test kit runs, and the Go modules that they are built from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NeededProgram } from '../../src/domain/needed-programs.ts';
import { ROOT } from '../project.ts';

/** What is built from each folder of tools/k8s/modules. */
const BUILT = {
  kubernetes: {
    commands: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet'],
    // Without it they call themselves v0.0.0-master, which clients take for very old.
    ldflags: (version: string) => `-s -w -X k8s.io/component-base/version.gitVersion=${version}`,
  },
  sidecars: {
    commands: ['csi-provisioner', 'csi-attacher', 'csi-resizer', 'csi-snapshotter', 'snapshot-controller'],
    ldflags: () => '-s -w',
  },
  helm: { commands: ['helm'], ldflags: () => '-s -w' },
  // Its program is our own, of some of its parts: see main.go there.
  coredns: { commands: ['coredns'], ldflags: () => '-s -w' },
} as const;
const COREDNS = 'github.com/coredns/coredns';

type Folder = keyof typeof BUILT;
export type ProgramName = (typeof BUILT)[Folder]['commands'][number];

export interface Program {
  readonly name: ProgramName;
  /** Folder of go.mod. */
  readonly folder: string;
  /** Import path of the command, or "." for one in the folder itself. */
  readonly package: string;
  readonly version: string;
  readonly ldflags: string;
}

/** Folder of a go.mod. */
export function programFolder(name: Folder): string {
  return join(ROOT, 'tools/k8s/modules', name);
}

/** All of them; versions are those of the pinned modules. */
export function programs(): readonly Program[] {
  return (Object.keys(BUILT) as Folder[]).flatMap((name) => {
    const { commands, ldflags } = BUILT[name];
    const folder = programFolder(name);
    const text = readFileSync(join(folder, 'go.mod'), 'utf8');
    return commands.map((command) => {
      const tool = new RegExp(`^(?:\\t|tool )(\\S+/cmd/${command})$`, 'm').exec(text)?.[1];
      const path = command === 'coredns' ? '.' : tool;
      const module = command === 'coredns' ? COREDNS : tool?.slice(0, tool.indexOf('/cmd/'));
      const version = module === undefined ? undefined : new RegExp(`${module} (v\\S+)`).exec(text)?.[1];
      if (path === undefined || version === undefined) throw new Error(`${folder}/go.mod does not name ${command}`);
      return { name: command, folder, package: path, version, ldflags: ldflags(version) };
    });
  });
}

/** Programs of Debian that the kit needs besides those of a lab. */
export const KIT_PROGRAMS: readonly NeededProgram[] = [
  { program: 'etcd', debianPackage: 'etcd-server' },
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap' },
  { program: 'containerd', debianPackage: 'containerd' },
  { program: 'runc', debianPackage: 'runc' },
  { program: 'iptables', debianPackage: 'iptables' },
  { program: 'busybox', debianPackage: 'busybox-static' },
  { program: 'kubectl', debianPackage: 'kubernetes-client' },
];
/** Where the plugins of {@link CNI_PACKAGE} are. */
export const CNI_FOLDER = '/usr/lib/cni';
export const CNI_PACKAGE = 'containernetworking-plugins';

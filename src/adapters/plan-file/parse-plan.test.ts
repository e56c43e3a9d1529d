import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isAppError } from '../../domain/errors.ts';
import { resolvePlan } from '../../domain/plan/resolve-plan.ts';
import { parsePlan } from './parse-plan.ts';

const EXAMPLE = readFileSync(new URL('../../../examples/plan.lab.yaml', import.meta.url), 'utf8');
const KISMATIC = readFileSync(new URL('./fixtures/kismatic-example.plan.txt', import.meta.url), 'utf8');

function parse(text: string | Uint8Array) {
  return parsePlan(typeof text === 'string' ? new TextEncoder().encode(text) : text, 'plan.yaml');
}

/** The faults as `line:column field: message`. */
function faultsOf(text: string | Uint8Array): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!isAppError(error, 'invalid')) throw error;
    if (error.faults.length === 0) return [error.message];
    return error.faults.map((fault) => `${fault.line}:${fault.column} ${fault.field}: ${fault.message}`);
  }
}

describe('a good plan', () => {
  test('the example resolves to three nodes and a mounted volume', () => {
    const plan = resolvePlan(parse(EXAMPLE));
    expect(plan.nodes.map((node) => [node.name, node.ip, node.zone])).toEqual([
      ['kube1', '10.91.1.1', 'a'],
      ['kube2', '10.91.1.2', 'b'],
      ['kube3', '10.91.1.3', 'c'],
    ]);
    expect(plan.nodes[0]?.pools).toEqual([{ name: 'default', path: '/mnt/glusterVolume0', device: '/run/disks/vdb' }]);
    expect(plan.volumes).toEqual([
      {
        name: 'gv0',
        size: '1Gi',
        layout: 'replicated',
        replicas: 3,
        pool: 'default',
        engine: 'gluster',
        brick: 'image',
        allowFrom: [],
        allowSplitBrain: false,
        mounts: ['kube1', 'kube2', 'kube3'].map((node) => ({ node, path: '/data' })),
      },
    ]);
    expect(plan.notices).toEqual([]);
  });

  test.each([
    ['an empty file', ''],
    ['only comments', '# nothing yet\n'],
    ['storage that is nil', 'storage:\n'],
    ['storage with no nodes and a count of 0', 'storage:\n  expected_count: 0\n  nodes: []\n'],
    ['storage with no nodes and no count', 'storage:\n  nodes:\n'],
    ['no shares', 'nfs:\n  nfs_volume:\n'],
  ])('%s is valid', (_, text) => {
    expect(faultsOf(text)).toEqual([]);
  });

  test.each([
    [
      'cluster: { ssh: { user: admin } }',
      'of section cluster only ssh (how to log in on the machines) is used by Holdfast',
    ],
    [
      'cluster: { networking: { pod_cidr_block: 172.16.0.0/16 } }',
      'of section cluster only networking.pod_cidr_block (who may mount what "kismatic volume add" makes) is used by Holdfast',
    ],
    [
      'cluster: { ssh: { user: admin } }\nssh: { user: root }',
      'section cluster says how Kubernetes is installed and is not used by Holdfast',
    ],
  ])('what of section cluster is used is said: %s', (sections, notice) => {
    const nodes = 'storage: { expected_count: 1, nodes: [{ host: kube1, ip: 10.0.0.1 }] }';
    expect(resolvePlan(parse(`${sections}\n${nodes}\n`)).notices).toEqual([notice]);
  });

  test('every field of Kismatic and of Holdfast is taken', () => {
    const text = `
cluster: { name: kubernetes }
etcd:
  expected_count: 1
storage:
  expected_count: 3
  nodes:
    - host: Storage1.example.com
      ip: 10.0.0.1
      internalip: 192.168.0.1
      labels: { example.com/disk: ssd }
      taints: [{ key: storage, value: "true", effect: NoSchedule }]
      kubelet: { option_overrides: { max-pods: "10" } }
      pools: [{ name: default, path: /mnt/a }]
    - { host: storage2.example.com, ip: 10.0.0.2, pools: [{ name: default, path: /mnt/a }] }
    - { host: storage3.example.com, ip: "fd00::3", pools: [{ name: default, path: /mnt/a }] }
nfs:
  nfs_volume:
    - { nfs_host: 10.0.0.9, mount_path: /export }
volumes:
  - name: v1
    size: 2Gi
    replicas: 2
    brick: directory
    pool: default
    allow: [10.10.*.*, 10.1.0.0/16, 10.2.3.4, "fd00::/8"]
    mount: { path: /data, nodes: [storage1, storage3.example.com] }
`;
    const plan = resolvePlan(parse(text));
    expect(plan.nodes[0]).toMatchObject({ name: 'storage1', internalIp: '192.168.0.1' });
    expect(plan.volumes[0]).toMatchObject({ layout: 'arbiter', replicas: 2, brick: 'directory' });
    expect(plan.volumes[0]?.mounts.map((mount) => mount.node)).toEqual(['storage1', 'storage3']);
    expect(plan.nfsShares).toEqual([{ server: '10.0.0.9', path: '/export' }]);
    expect(plan.notices).toEqual([
      'volume v1: 2 replicas alone can diverge (split brain): a third node takes an arbiter, which holds names but no data',
      'section cluster says how Kubernetes is installed and is not used by Holdfast',
      'section etcd says how Kubernetes is installed and is not used by Holdfast',
      'Storage1.example.com: taints and kubelet options belong to the Kubernetes node and are not set by Holdfast',
    ]);
  });
});

test('defaults and networks hold for the volumes that say nothing themselves', () => {
  const text = `storage:
  expected_count: 3
  nodes:
    - { host: kube1, ip: 10.0.0.1, pools: [{ name: default, path: /mnt/a }, { name: fast, path: /mnt/b }] }
    - { host: kube2, ip: 10.0.0.2, pools: [{ name: default, path: /mnt/a }, { name: fast, path: /mnt/b }] }
    - { host: kube3, ip: 10.1.0.3, internalip: 10.0.0.3, pools: [{ name: fast, path: /mnt/b }] }
networks: { storage: 10.0.0.0/16, clients: [10.9.*.*] }
defaults: { pool: fast, brick: directory, profile: database }
volumes:
  - { name: plain, size: 1Gi }
  - { name: other, size: 1Gi, layout: single, pool: default, brick: image, profile: shared, allow: [] }
  - { name: near, size: 1Gi, engine: local, layout: single }
`;
  const { volumes, notices } = resolvePlan(parse(text));
  expect(volumes).toMatchObject([
    { name: 'plain', pool: 'fast', brick: 'directory', profile: 'database', allowFrom: ['10.9.*.*'] },
    { name: 'other', pool: 'default', brick: 'image', profile: 'shared', allowFrom: [] },
    { name: 'near', pool: 'fast', brick: 'directory', allowFrom: [] },
  ]);
  expect(volumes[2]).not.toHaveProperty('profile');
  expect(notices).toEqual([]);
});

test("the example of Kismatic's document repeats an address: the error names both lines", () => {
  expect(faultsOf(KISMATIC)).toEqual([
    '8:9 storage.nodes[1].ip: Node #2 has the same IP "8.8.8.1" as node #1 (lines 5 and 8); give each node its own ip',
    '9:17 storage.nodes[1].internalip: Node #2 has the same internal IP "8.8.8.1" as node #1 (lines 6 and 9); give each node its own internalip',
  ]);
});

const NODES = `storage:
  expected_count: 3
  nodes:
    - { host: kube1, ip: 10.0.0.1, pools: [{ name: default, path: /mnt/a }] }
    - { host: kube2, ip: 10.0.0.2, pools: [{ name: default, path: /mnt/a }] }
    - { host: kube3, ip: 10.0.0.3, pools: [{ name: default, path: /mnt/a }] }
`;
/** A plan whose only volume has this as line 9, indented. */
const withVolume = (line: string) => `${NODES}volumes:\n  - name: gv0\n    ${line}\n    size: 1Gi\n`;
/** A plan whose only node is this, on line 4. */
const withNode = (node: string) => `storage:\n  expected_count: 1\n  nodes:\n    - ${node}\n`;

/** Plans with one rule broken each, and the one fault that they must give. */
const BROKEN: readonly (readonly [text: string, fault: string])[] = [
  // Machines
  ['storage: [a]\n', '1:10 storage: must be a group of keys, not a list; write "key: value" lines below it'],
  ['[a]\n', '1:1 plan: must be a group of keys, not a list; write "key: value" lines below it'],
  ['storage:\n  nodes: x\n', '2:10 storage.nodes: must be a list, not "x"; begin each entry with "- "'],
  [withNode('x'), '4:7 storage.nodes[0]: must be a group of keys, not "x"; write "key: value" lines below it'],
  [
    withNode('{ ip: 10.0.0.1 }'),
    '4:7 storage.nodes[0].host: Node host field is required; add the name of the machine, for example "host: kube1"',
  ],
  [
    withNode('{ host: "", ip: 10.0.0.1 }'),
    '4:15 storage.nodes[0].host: Node host field is required; add the name of the machine, for example "host: kube1"',
  ],
  [
    withNode('{ host: a_b, ip: 10.0.0.1 }'),
    '4:15 storage.nodes[0].host: "a_b" is not a host name; use letters, digits, "-" and ".", for example storage1.example.com',
  ],
  [
    withNode('{ host: -rf, ip: 10.0.0.1 }'),
    '4:15 storage.nodes[0].host: "-rf" is not a host name; use letters, digits, "-" and ".", for example storage1.example.com',
  ],
  [withNode('{ host: 7, ip: 10.0.0.1 }'), '4:15 storage.nodes[0].host: must be text, not 7; put it in quotes'],
  [
    withNode('{ host: kube1 }'),
    '4:7 storage.nodes[0].ip: Node IP field is required; add the address of the machine, for example "ip: 10.91.0.1"',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.256 }'),
    '4:26 storage.nodes[0].ip: Invalid IP provided; write an IPv4 or IPv6 address such as 10.91.0.1',
  ],
  [
    withNode('{ host: kube1, ip: 127.0.0.1 }'),
    '4:26 storage.nodes[0].ip: 127.0.0.1 is a loopback address: every machine has it; write the address of the machine',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, internalip: no }'),
    '4:48 storage.nodes[0].internalip: Invalid InternalIP provided; write an IPv4 or IPv6 address, or leave it out',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, zone: A b }'),
    '4:42 storage.nodes[0].zone: "A b" may hold only a-z, 0-9 and "-", and must begin and end with a letter or digit; choose a name such as default, gv0 or zone-a',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, labels: { "a b": c } }'),
    '4:46 storage.nodes[0].labels.a b: is not a label key; write [prefix/]name of letters, digits, "-", "_" and "."',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, labels: { a: "b c" } }'),
    '4:49 storage.nodes[0].labels.a: "b c" is not a label value; at most 63 letters, digits, "-", "_" and "."',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, taints: [{ key: a, effect: NoShedule }] }'),
    '4:63 storage.nodes[0].taints[0].effect: "NoShedule" is none of NoSchedule, PreferNoSchedule, NoExecute; did you mean NoSchedule?',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, taints: [{ effect: NoExecute }] }'),
    '4:45 storage.nodes[0].taints[0].key: is required; add the key of the taint',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, pools: [{ path: /mnt/a }] }'),
    '4:44 storage.nodes[0].pools[0].name: is required; add a name, for example "name: default"',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, pools: [{ name: a, path: mnt }] }'),
    '4:61 storage.nodes[0].pools[0].path: "mnt" must be an absolute path; begin it with "/"',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, pools: [{ name: a, path: /mnt/../etc }] }'),
    '4:61 storage.nodes[0].pools[0].path: "/mnt/../etc" must not hold "..", ".", empty segments or control characters; write the path out',
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, pools: [{ name: a, path: /usr }] }'),
    "4:61 storage.nodes[0].pools[0].path: /usr belongs to the machine's own system; choose a directory of its own, for example /data",
  ],
  [
    withNode('{ host: kube1, ip: 10.0.0.1, pools: [{ name: a, path: /m }, { name: a, path: /n }] }'),
    '4:75 storage.nodes[0].pools[1].name: two pools of the same node have the name "a" (lines 4 and 4); give each pool its own name',
  ],
  [
    withNode('{ hots: kube1, host: kube1, ip: 10.0.0.1 }'),
    '4:9 storage.nodes[0].hots: unknown key "hots"; did you mean host?',
  ],
  [
    'storage:\n  expected_count: 2\n  nodes: []\n',
    '2:19 storage.expected_count: Expected node count (2) does not match the number of nodes provided (0); set expected_count: 0, or correct the list of nodes',
  ],
  [
    NODES.replace('expected_count: 3', 'expected_count: 2'),
    '2:19 storage.expected_count: Expected node count (2) does not match the number of nodes provided (3); set expected_count: 3, or correct the list of nodes',
  ],
  [
    NODES.replace('expected_count: 3', 'expected_count: -1'),
    '2:19 storage.expected_count: -1 is too small: at least 0; raise it',
  ],
  [
    NODES.replace('host: kube2', 'host: KUBE1'),
    '5:15 storage.nodes[1].host: Node #2 has the same hostname "KUBE1" as node #1 (lines 4 and 5); give each node its own host',
  ],
  [
    NODES.replace('host: kube2', 'host: kube1.example.com'),
    '5:15 storage.nodes[1].host: kube1.example.com and kube1 would both be the node kube1 (lines 4 and 5); a node is named by its host name up to the first dot; make these differ',
  ],
  [
    NODES.replace('10.0.0.3', '10.0.0.1'),
    '6:26 storage.nodes[2].ip: Node #3 has the same IP "10.0.0.1" as node #1 (lines 4 and 6); give each node its own ip',
  ],
  [
    NODES.replace('10.0.0.3,', '10.0.0.3, internalip: 10.0.0.2,'),
    '6:48 storage.nodes[2].internalip: Node #3 has the internal IP "10.0.0.2", which is the IP of node #2 (lines 5 and 6); correct one of the two',
  ],
  // Networks and defaults
  [
    `${NODES}networks: { storage: 10.0.0.0 }\n`,
    '7:22 networks.storage: "10.0.0.0" is no network; write one such as 192.168.7.0/24',
  ],
  [
    `${NODES.replace('10.0.0.3,', '10.0.0.3, internalip: 10.0.1.3,')}networks: { storage: 10.0.0.0/24 }\n`,
    '6:48 storage.nodes[2].internalip: 10.0.1.3 is not in the network of the storage nodes, 10.0.0.0/24 (lines 7 and 6); give the node an internalip in it, or correct networks.storage',
  ],
  [
    `${NODES.replace('10.0.0.3', 'fd00::3')}networks: { storage: 10.0.0.0/24 }\n`,
    '6:26 storage.nodes[2].ip: fd00::3 is not in the network of the storage nodes, 10.0.0.0/24 (lines 7 and 6); give the node an internalip in it, or correct networks.storage',
  ],
  [
    `${NODES}networks: { clients: [10.0.0.300] }\nvolumes: [{ name: gv0, size: 1Gi }]\n`,
    '7:23 networks.clients[0]: "10.0.0.300" is not an allowed address; write 10.10.1.2, 10.10.*.* or 10.10.0.0/16',
  ],
  [
    `${NODES}defaults: { brick: lvm }\nvolumes: [{ name: gv0, size: 1Gi }]\n`,
    '7:20 defaults.brick: "lvm" is none of image, directory, block; choose image, directory, block',
  ],
  [
    `${NODES}defaults: { pool: fast }\nvolumes: [{ name: gv0, size: 1Gi }]\n`,
    '8:11 volumes[0].pool: no node of this plan has a pool "fast", only default; add a pool fast to the nodes',
  ],
  // Shares
  [
    'nfs:\n  nfs_volume:\n    - { mount_path: /a }\n',
    '3:7 nfs.nfs_volume[0].nfs_host: NFS volume host cannot be empty; add the name or address of the file server',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: "", mount_path: /a }\n',
    '3:19 nfs.nfs_volume[0].nfs_host: NFS volume host cannot be empty; add the name or address of the file server',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: a }\n',
    '3:7 nfs.nfs_volume[0].mount_path: NFS volume path cannot be empty; add the exported path',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: a, mount_path: "" }\n',
    '3:34 nfs.nfs_volume[0].mount_path: NFS volume path cannot be empty; add the exported path',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: a, mount_path: b }\n',
    '3:34 nfs.nfs_volume[0].mount_path: NFS volume path must be absolute; begin it with "/"',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: a, mount_path: /b }\n    - { nfs_host: a, mount_path: /b }\n',
    '4:7 nfs.nfs_volume[1]: Duplicate NFS volume a:/b (lines 3 and 4); remove one of them',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: -o evil, mount_path: /a }\n',
    '3:19 nfs.nfs_volume[0].nfs_host: "-o evil" is neither a host name nor an address; write one such as files.example.com',
  ],
  [
    'nfs:\n  nfs_volume:\n    - { nfs_host: fd00::1, mount_path: /a/../b }\n',
    '3:40 nfs.nfs_volume[0].mount_path: "/a/../b" must not hold "..", ".", empty segments or control characters; write the path out',
  ],
  // Volumes
  [
    'volumes:\n  - { name: gv0, size: 1Gi }\n',
    '2:5 volumes[0]: no node of this plan has a pool "default"; add a pool default to the nodes',
  ],
  [`${NODES}volumes:\n  - size: 1Gi\n`, '8:5 volumes[0].name: is required; add a name, for example "name: gv0"'],
  [
    `${NODES}volumes:\n  - name: gv0\n`,
    '8:5 volumes[0].size: is required; add a size with its unit, for example "size: 10Gi"',
  ],
  [
    `${NODES}volumes:\n  - { name: ../x, size: 1Gi }\n`,
    '8:13 volumes[0].name: "../x" may hold only a-z, 0-9 and "-", and must begin and end with a letter or digit; choose a name such as default, gv0 or zone-a',
  ],
  [
    `${NODES}volumes:\n  - { name: gv0, size: lots }\n`,
    '8:24 volumes[0].size: "lots" is not a size; write a number and a unit, for example 10Gi, 500Mi or 1.5Ti',
  ],
  [`${NODES}volumes:\n  - { name: gv0, size: 10 }\n`, '8:24 volumes[0].size: 10 has no unit; write 10Gi for 10 GiB'],
  [
    `${NODES}volumes:\n  - { name: gv0, size: -1Gi }\n`,
    '8:24 volumes[0].size: "-1Gi" is not a size; write a number and a unit, for example 10Gi, 500Mi or 1.5Ti',
  ],
  [
    `${NODES}volumes:\n  - { name: gv0, size: 8191Pi }\n`,
    '8:24 volumes[0].size: 8191Pi is too large: a size is from 0 to less than 8Pi; choose a smaller size',
  ],
  [
    `${NODES}volumes:\n  - { name: gv0, size: 1e400 }\n`,
    '8:24 volumes[0].size: must be text, not null; put it in quotes',
  ],
  [
    `${NODES}volumes:\n  - { name: gv0, size: 1Mi }\n`,
    '8:24 volumes[0].size: a volume of 1Mi is too small: the smallest is 128Mi; write a number and a unit, for example 10Gi or 500Mi',
  ],
  [
    `${NODES}volumes:\n  - { name: gv0, size: 1Gi }\n  - { name: gv0, size: 1Gi }\n`,
    '9:13 volumes[1].name: two volumes are named "gv0" (lines 8 and 9); rename one of them',
  ],
  [
    withVolume('layout: mirrored'),
    '9:13 volumes[0].layout: "mirrored" is not known; choose single, replicated, arbiter, distributed, distributed-replicated, dispersed, distributed-dispersed, striped, distributed-striped, striped-replicated, distributed-striped-replicated',
  ],
  [withVolume('replicas: 10'), '9:15 volumes[0].replicas: 10 is too large: at most 9; lower it'],
  [
    withVolume('replicas: 4'),
    '9:15 volumes[0].replicas: the requested volume configuration requires 4 storage nodes, but only 3 are usable; add 1 storage node, bring nodes back, or ask for fewer replicas',
  ],
  [
    withVolume('{ layout: replicated, replicas: 2 }').replace(
      '{ layout: replicated, replicas: 2 }',
      'layout: replicated\n    replicas: 2',
    ),
    '10:15 volumes[0].replicas: 2 plain replicas can diverge (split brain) when their nodes lose each other; use layout arbiter or 3 replicas, or say allowSplitBrain: true (--allow-split-brain) if you accept that',
  ],
  [
    withVolume('brick: lvm'),
    '9:12 volumes[0].brick: "lvm" is none of image, directory, block; choose image, directory, block',
  ],
  [
    withVolume('pool: defualt'),
    '9:11 volumes[0].pool: no node of this plan has a pool "defualt", only default; did you mean default?',
  ],
  [
    withVolume('allow: [10.0.0.300]'),
    '9:13 volumes[0].allow[0]: "10.0.0.300" is not an allowed address; write 10.10.1.2, 10.10.*.* or 10.10.0.0/16',
  ],
  [withVolume('allowSplitBrain: yes'), '9:22 volumes[0].allowSplitBrain: must be true or false, not "yes"; correct it'],
  [
    withVolume('mount: { path: data, nodes: all }'),
    '9:20 volumes[0].mount.path: "data" must be an absolute path; begin it with "/"',
  ],
  [
    withVolume('mount: { path: /etc, nodes: all }'),
    "9:20 volumes[0].mount.path: /etc belongs to the machine's own system; choose a directory of its own, for example /data",
  ],
  [
    withVolume('mount: { path: /usr/lib/x86_64-linux-gnu, nodes: all }'),
    "9:20 volumes[0].mount.path: /usr/lib/x86_64-linux-gnu belongs to the machine's own system; choose a directory of its own, for example /data",
  ],
  [
    withVolume('mount: { path: /var/lib/glusterd, nodes: all }'),
    "9:20 volumes[0].mount.path: /var/lib/glusterd belongs to the machine's own system; choose a directory of its own, for example /data",
  ],
  [
    withVolume('mount: { path: /mnt/a/b, nodes: all }'),
    '9:20 volumes[0].mount.path: /mnt/a/b and the pool at /mnt/a lie in each other; mount the volume outside of the pools',
  ],
  [
    withVolume('mount: { path: /data }'),
    '9:12 volumes[0].mount.nodes: is required; add "nodes: all", or a list of nodes',
  ],
  [
    withVolume('mount: { path: /data, nodes: some }'),
    '9:34 volumes[0].mount.nodes: "some" must be the word all, or a list of nodes such as [kube1, kube2]; correct it',
  ],
  [
    withVolume('mount: { path: /data, nodes: [kube1, kub2] }'),
    '9:42 volumes[0].mount.nodes[1]: "kub2" is no node of this plan; did you mean kube2?',
  ],
  [
    withVolume('mount: { path: /data, nodes: [kube1, kube1] }'),
    '9:42 volumes[0].mount.nodes[1]: kube1 is listed twice; remove one of them',
  ],
  [
    `${NODES}volumes:\n  - { name: a, size: 1Gi, mount: { path: /d, nodes: all } }\n  - { name: b, size: 1Gi, mount: { path: /d, nodes: [kube2] } }\n`,
    '9:42 volumes[1].mount.path: two volumes are mounted at /d on kube2 (lines 8 and 9); mount each at its own path',
  ],
  [`${NODES}volume: []\n`, '7:1 volume: unknown key "volume"; did you mean volumes?'],
  [
    'x-y-z: 1\n',
    '1:1 x-y-z: unknown key "x-y-z"; the keys here are storage, nfs, volumes, defaults, networks, ssh, tls, controller, cluster, docker, docker_registry, additional_files, add_ons, features, etcd, master, worker, ingress',
  ],
];

describe('every rule broken in turn', () => {
  test.each(BROKEN)('%j', (text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  test('all faults are told at once, in the order of the file', () => {
    const text = `storage:
  expected_count: 5
  nodes:
    - { host: kube1, ip: x }
    - { host: kube1, ip: 10.0.0.2, zones: a }
volumes:
  - { name: A, size: 1Gi }
`;
    expect(faultsOf(text).map((fault) => fault.split(' ', 2).join(' '))).toEqual([
      '2:19 storage.expected_count:',
      '4:26 storage.nodes[0].ip:',
      '5:15 storage.nodes[1].host:',
      '5:36 storage.nodes[1].zones:',
      '7:5 volumes[0]:',
      '7:13 volumes[0].name:',
    ]);
  });
});

describe('hostile text', () => {
  test.each<[name: string, text: string | Uint8Array, fault: string]>([
    ['an anchor', 'storage: &a\n', '1:12 storage: the anchor &a is not used in a plan; remove it'],
    ['an alias', 'volumes: &v []\nstorage: *v\n', '1:13 volumes: the anchor &v is not used in a plan; remove it'],
    [
      'a merge key',
      'storage:\n  <<: { nodes: [] }\n',
      '2:3 storage.<<: merge keys are not used in a plan; write the values out',
    ],
    [
      'a key given twice',
      'storage:\nnfs:\nstorage:\n',
      '3:1 storage: the key storage is given twice, on lines 1 and 3; remove one',
    ],
    ['__proto__', '__proto__: { a: 1 }\n', '1:1 __proto__: is no key of a plan; remove it'],
    ['a tab', 'storage:\n\tnodes: []\n', '2:1 plan: a tab is used to indent; YAML allows only spaces'],
    ['a tag', 'storage: !!binary abc\n', '1:19 storage: the tag !!binary is not used in a plan; remove it'],
    [
      'a directive',
      '%YAML 1.1\n---\nstorage:\n',
      '1:1 plan: YAML directives (%YAML, %TAG) are not used in a plan; remove them',
    ],
    [
      'two documents',
      'storage:\n---\nstorage:\n',
      '2:1 plan: the file holds several YAML documents ("---"); a plan is one document',
    ],
    ['a key that is a list', '[a]: 1\n', '1:1 plan: a key must be plain text; put it in quotes'],
    [
      'a NUL in quotes',
      'storage: "\\0"\n',
      '1:10 storage: holds control characters (a line break, a NUL); write one plain line',
    ],
    ['a NUL', 'storage:\u0000\n', 'plan.yaml is not a text file in UTF-8'],
    ['bytes that are no UTF-8', new Uint8Array([0x73, 0xff, 0xfe]), 'plan.yaml is not a text file in UTF-8'],
    ['10 MB', 'a: b\n'.repeat(2_000_000), 'plan.yaml is larger than 1 MiB, the limit for a plan'],
    ['unclosed quotes', 'storage: "a\n', '2:1 plan: is not valid YAML: Missing closing "quote'],
  ])('%s is refused', (_, text, fault) => {
    expect(faultsOf(text)[0]).toBe(fault);
  });

  test.each([
    ['lists in one line', '['.repeat(5_000)],
    ['lists below each other', '- '.repeat(5_000)],
    ['groups', '{a: '.repeat(5_000)],
    ['thirteen levels', `${'['.repeat(14)}${']'.repeat(14)}`],
  ])('deep nesting of %s is refused', (_, text) => {
    expect(faultsOf(text).join('\n')).toMatch(/nested/);
  });

  test('aliases that would grow to gigabytes are refused before they do', () => {
    const bomb = Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`);
    expect(faultsOf(['a0: &a0 [x]', ...bomb].join('\n')).every((fault) => /anchor|alias|unknown key/.test(fault))).toBe(
      true,
    );
  });

  test.each([
    ['U+202E', '/data\u202eatad'],
    ['U+200B', '/data\u200b'],
    ['U+2028', '/data\u2028'],
    ['U+0085', '/data\u0085'],
    ['U+E0041', '/data\u{e0041}'],
  ])('%s, which a reader cannot see, is refused in a value and in a key', (code, path) => {
    expect(faultsOf(withVolume(`mount: { path: "${path}", nodes: all }`))).toEqual([
      `9:20 volumes[0].mount.path: holds the character ${code}, which cannot be seen; remove it`,
    ]);
    expect(faultsOf(`"${path}": 1\n`)).toEqual([
      `1:1 plan: a key holds the character ${code}, which cannot be seen; remove it`,
    ]);
  });

  test('what YAML has and a plan has not is told beside what is wrong with the plan itself, and nothing twice', () => {
    const text = `${NODES}volumes:
  - &first { name: GV0, size: 10 }
  - { name: "a\\tb", size: 1Gi, size: 2Gi, oops: 1 }
  - *first
`;
    expect(faultsOf(text).map((fault) => fault.slice(0, 45))).toEqual([
      '8:12 volumes[0]: the anchor &first is not use',
      '8:20 volumes[0].name: "GV0" may hold only a-z',
      '8:31 volumes[0].size: 10 has no unit; write 1',
      '9:13 volumes[1].name: holds control character',
      '9:32 volumes[1].size: the key size is given t',
      '9:43 volumes[1].oops: unknown key "oops"; the',
      '10:5 volumes[2]: the alias *first is not used',
    ]);
  });

  test('each of many unknown keys is told', () => {
    const text = Array.from({ length: 5_000 }, (_, at) => `key${at}: 1`).join('\n');
    expect(faultsOf(text)).toHaveLength(5_000);
  });
});

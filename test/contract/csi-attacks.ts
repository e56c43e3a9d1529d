/** What is tried on each field of each request of CSI, and how it may be answered. A field without a line here is a fault. */
import { Status } from 'nice-grpc';
import { PARAMETERS } from '../../src/domain/csi/parameter-table.ts';
import type { Text, Value } from './csi-fields.ts';

export interface Attack {
  readonly values: readonly Value[];
  /** The answers that are right; whatever is answered, nothing of it may stay. */
  readonly codes: readonly Status[];
}

const { OK, INVALID_ARGUMENT, NOT_FOUND, OUT_OF_RANGE, ABORTED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION } = Status;
export const ROOT = '/var/lib/kubelet';

const bytes = (...numbers: number[]): Text => Uint8Array.from(numbers);
const NO_UTF8 = [bytes(0x76, 0xff, 0xfe), bytes(0xc3), bytes(0xed, 0xa0, 0x80), bytes(0xc0, 0xaf)];
const KIB4 = 'x'.repeat(4_096);
const MIB1 = 'y'.repeat(1024 ** 2);
/** Text that is no label, path, option or word of ours, each with what it is to break. */
const TEXTS: readonly Text[] = [
  ...['..', '.', '/', '../../etc', '/etc/passwd', 'vol/../idle', 'vol/', '..\\..\\etc', '%2e%2e%2fetc', '%00'],
  ...['vol\n', 'vol\r\nx', 'a\0b', '\0', '\u0007', '\u001b[2J', 'vol\u202e', '\u{1f4a9}', '\uff0e\uff0e', 'v\u043el'],
  ...[
    '--help',
    '-rf',
    '-o suid',
    'a;reboot',
    '$(reboot)',
    '`reboot`',
    'a|b',
    "'",
    '"',
    'a b',
    ' vol',
    'vol ',
    '*',
    '?',
  ],
  ...['files.example.com#export#../../etc#vol#', 'nfs://files/export', '/dev/loop0'],
  ...['VOL', 'vol#idle', 'vol@snap', '${pvc.metadata.name}', '{"a":1}', '-', 'vol-', '-vol', '__proto__', '_'],
  ...[KIB4, MIB1, ...NO_UTF8],
];
/** Entries of maps; the keys are none of ours. */
const MAPS: readonly Value[] = [
  [['../..', 'x']],
  [['', '']],
  [['constructor', 'x']],
  [['toString', 'x']],
  [['a\0b', 'x']],
  [[bytes(0xff), bytes(0xfe)]],
  [[MIB1, MIB1]],
  [[KIB4, '']],
  Array.from({ length: 5_000 }, (_, index) => [`key-${index}`, 'x'] as const),
];
/** Each parameter that has a meaning, with values that are none of its own. */
const PARAMETER_MAPS: readonly Value[] = Object.entries(PARAMETERS).flatMap(([key, read]) =>
  ['../../etc', '-1', 'a\0b', 'x;reboot', '--force', KIB4]
    .filter((value) => 'fault' in read(value))
    .map((value) => [[key, value]]),
);
const PATHS: readonly Value[] = [
  ...TEXTS.filter((text) => text !== '/'),
  ...[
    '/',
    ROOT,
    `${ROOT}/`,
    `${ROOT}/..`,
    `${ROOT}/../../etc/cron.d/x`,
    `${ROOT}/a/../../b`,
    `${ROOT}//x`,
    `${ROOT}/./x`,
  ],
  ...[
    `${ROOT}evil/x`,
    `${ROOT}/a\n/b`,
    `${ROOT}/a\0b`,
    `/proc/self/root${ROOT}/x`,
    `${ROOT}/${KIB4}`,
    `${ROOT}/${'z'.repeat(256)}`,
  ],
  ...[`${ROOT}/${'d/'.repeat(3_000)}x`, `${ROOT}/\u007f`],
];
const LOWEST = -(2n ** 63n);
const HIGHEST = 2n ** 63n - 1n;

const refused = (values: readonly Value[], ...codes: readonly Status[]): Attack => ({
  values,
  codes: codes.length > 0 ? codes : [INVALID_ARGUMENT],
});
const harmless = (values: readonly Value[]): Attack => ({ values, codes: [OK] });

const ID = [refused(['', ...TEXTS])];
const LISTED_IDS = [refused(['', ...TEXTS].map((text) => [text]))];
const NAME = [
  refused(['', 'a\0b', '\0', '\u0007', '\u001b[2J', 'x'.repeat(129), '\u00e9'.repeat(65), KIB4, MIB1, ...NO_UTF8]),
  // Names are the caller's; whatever they are, what is made of them has a name that can do no harm.
  harmless([
    '..',
    '../../etc',
    '/etc/passwd',
    '--help',
    'a;reboot',
    'a\nb',
    'vol\u202e',
    'VOL',
    '__proto__',
    'x'.repeat(128),
  ]),
];
const PATH = [refused(['', ...PATHS])];
const UNREAD = [harmless(['', ...PATHS])];
/** What drivers that keep their facts in the context of a volume would follow. */
const CONTEXTS: readonly Value[] = [
  [
    ['server', 'evil.example.com'],
    ['share', '/'],
    ['subDir', '../../etc'],
  ],
  [
    ['engine', 'local'],
    ['path', '/etc'],
    ['csi.storage.k8s.io/ephemeral', 'true'],
  ],
];
/** Read by nothing: of no effect, and in no log or answer. */
const UNREAD_MAP = [harmless([...MAPS, ...CONTEXTS, [['__proto__', 'x']]])];
const PARAMETER = [
  refused([...MAPS, ...PARAMETER_MAPS]),
  // Not a key of any object, so it is as if it were not there.
  { values: [[['__proto__', 'x']]], codes: [OK, INVALID_ARGUMENT] },
];
const MUTABLE = [
  refused([
    ...MAPS,
    [['pool', 'x']],
    [['engine', 'local']],
    [['replicas', '-1']],
    [['replicas', '2; reboot']],
    [['profile', '../x']],
  ]),
  refused([[['failureMode', 'soft']], [['profile', KIB4]], [['size', '1Gi']]]),
];
const TOPOLOGY: readonly Attack[] = [{ values: MAPS, codes: [OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED] }];
const PAGE = [refused([-1, -(2 ** 31)]), harmless([0, 2 ** 31 - 1])];
const TOKEN = [refused([...TEXTS, 'after/', 'after/../..', 'after/vol\n'], ABORTED)];
const FILTER = [harmless(TEXTS)];
const FLAGS = [
  ...[
    'suid',
    'dev',
    'suid,dev',
    'noatime,suid',
    'exec,dev',
    'context=x',
    'addr=1.2.3.4',
    'x-systemd.automount',
    'remount',
  ],
  ...['bind', 'loop', 'helper=/bin/sh', 'log-file=/etc/passwd', 'noatime suid', 'RO', 'ro\0suid', 'ro\n'],
];
const access = (answer: Status): Readonly<Record<string, readonly Attack[]>> => ({
  'VolumeCapability.block': [{ values: [{}], codes: [answer, FAILED_PRECONDITION] }],
  'VolumeCapability.MountVolume.fs_type': [
    refused([...TEXTS, 'ext4;reboot', '../../bin/sh', 'ext4 -O encrypt', 'xfs,suid', 'nfs4', 'EXT4', 'fuse.x'], answer),
  ],
  'VolumeCapability.MountVolume.mount_flags': [
    refused([...FLAGS.map((flag) => [flag]), ...TEXTS.map((text) => [text]), [''], ['ro', 'rw']], answer),
    refused([Array.from({ length: 5_000 }, (_, index) => `option-${index}`)], answer),
  ],
  'VolumeCapability.MountVolume.volume_mount_group': [refused(['0', '1000', 'root', ...TEXTS], answer)],
  'VolumeCapability.AccessMode.mode': [refused([0, 4, 8, 99, -1, 2 ** 31 - 1, -(2 ** 31)], answer)],
});
/** Where a wrong capability makes a call fail, and where it is the answer. */
const REFUSING = access(INVALID_ARGUMENT);
const ANSWERING = access(OK);

/** By message and field; what a request has of its own goes before what its fields are called everywhere. */
const LINES: Readonly<Record<string, readonly Attack[]>> = {
  ...REFUSING,
  name: NAME,
  volume_id: ID,
  node_id: ID,
  snapshot_id: ID,
  source_volume_id: ID,
  group_snapshot_id: ID,
  snapshot_ids: LISTED_IDS,
  source_volume_ids: [...LISTED_IDS, refused([[]])],
  'CapacityRange.required_bytes': [refused([-1, LOWEST]), refused([HIGHEST, 2n ** 53n], OUT_OF_RANGE)],
  'CapacityRange.limit_bytes': [refused([-1, LOWEST, 1])],
  parameters: PARAMETER,
  secrets: UNREAD_MAP,
  mutable_parameters: MUTABLE,
  volume_context: UNREAD_MAP,
  publish_context: UNREAD_MAP,
  'VolumeContentSource.SnapshotSource.snapshot_id': ID,
  'VolumeContentSource.VolumeSource.volume_id': ID,
  'Topology.segments': TOPOLOGY,
  readonly: [harmless([true, HIGHEST])],
  max_entries: PAGE,
  starting_token: TOKEN,
  staging_target_path: PATH,
  target_path: PATH,
  volume_path: PATH,
  'NodeGetVolumeStatsRequest.volume_path': [refused(['']), refused(PATHS, NOT_FOUND)],
  'NodeGetVolumeStatsRequest.staging_target_path': UNREAD,
  // Empty is all nodes.
  'ControllerUnpublishVolumeRequest.node_id': [refused(TEXTS), harmless([''])],
  'ListSnapshotsRequest.snapshot_id': FILTER,
  'ListSnapshotsRequest.source_volume_id': FILTER,
  'ValidateVolumeCapabilitiesRequest.parameters': [harmless([...MAPS, ...PARAMETER_MAPS])],
  'ValidateVolumeCapabilitiesRequest.mutable_parameters': [harmless(MAPS)],
};

const parametersOf = (key: string, values: readonly string[]): readonly Value[] =>
  values.map((value) => [[key, value]]);
const LOCAL = {
  'VolumeCapability.AccessMode.mode': [3, 5],
  'VolumeCapability.MountVolume.mount_flags': [['nfsvers=4.1'], ['hard'], ['discard'], ['noatime', 'discard']],
} as const;
/** Refused for volumes of one engine, beside all that is refused for all. The parameters go with those of the class. */
const OF_ENGINE: Readonly<Record<string, Readonly<Record<string, readonly Value[]>>>> = {
  gluster: {
    'CreateVolumeRequest.parameters': [
      [['subDir', 'a']],
      [['server', 'files']],
      [['share', '/export']],
      [['thinProvision', 'true']],
    ],
    'VolumeCapability.MountVolume.mount_flags': LOCAL['VolumeCapability.MountVolume.mount_flags'],
  },
  local: {
    ...LOCAL,
    'CreateVolumeRequest.parameters': [
      ...[[['replicas', '3']], [['layout', 'arbiter']], [['shard', 'true']], [['subDir', '..']]],
      ...parametersOf('thinProvision', ['', '1', 'TRUE', 'true ', 'true,discard', 'a\0b']),
      ...parametersOf('csi.storage.k8s.io/fstype', ['nfs', 'glusterfs']),
    ] as const,
  },
  device: {
    'VolumeCapability.AccessMode.mode': LOCAL['VolumeCapability.AccessMode.mode'],
    'CreateVolumeRequest.parameters': [[['brick', 'directory']], [['replicas', '3']], [['encryption', 'yes']]],
  },
  nfs: {
    'CreateVolumeRequest.parameters': [
      ...parametersOf('subDir', [
        '..',
        '.',
        '',
        '/',
        '../../etc',
        'a/../..',
        'a//b',
        '/etc',
        '.holdfast',
        'a\0b',
        KIB4,
      ]),
      ...parametersOf('subDir', ['${pvc.metadata.name}', '${pv.metadata.name}/../..', '${PATH}', '$(reboot)', '-o']),
      ...parametersOf('server', ['-o', '--help', '..', 'a b', 'a:/etc', 'a,soft', 'a\0b', '']),
      ...parametersOf('share', ['export', '', '/a/../..', '/a\nb', '-o']),
      ...parametersOf('mountPermissions', ['7777', '4755', '-1', '0o777', 'rwx']),
      ...([[['replicas', '3']], [['encryption', 'true']], [['engine', 'local']]] as const),
      ...parametersOf('thinProvision', ['true']),
    ],
    'VolumeCapability.MountVolume.mount_flags': [
      ['soft'],
      ['nfsvers=9'],
      ['nfsvers=4.1,suid'],
      ['sec=../x'],
      ['discard'],
    ],
  },
};
/** What is right for volumes of one engine, or may be, and an attack on those of others. */
const RIGHT_FOR: Readonly<Record<string, Readonly<Record<string, Attack>>>> = {
  // What is asked for decides what is made, unless it begins with what is there.
  local: { 'CreateVolumeRequest VolumeCapability.block': { values: [{}], codes: [OK, INVALID_ARGUMENT] } },
  device: {
    'VolumeCapability.block': harmless([{}]),
    // It is read-only for its whole node, or for nobody there.
    'NodePublishVolumeRequest.readonly': { values: [true, HIGHEST], codes: [INVALID_ARGUMENT] },
  },
};

/**
 * The attacks on a place.
 *
 * @param engine - what the rest of the request is for
 * @returns undefined when nobody has thought of it yet
 */
export function attacksOn(request: string, key: string, engine = 'any'): readonly Attack[] | undefined {
  const right = RIGHT_FOR[engine] ?? {};
  const rightHere = right[`${request} ${key}`] ?? right[key];
  if (rightHere !== undefined) return [rightHere];
  const isAnswer = ['ValidateVolumeCapabilitiesRequest', 'GetCapacityRequest'].includes(request);
  const common = linesOf(key, isAnswer);
  const own = OF_ENGINE[engine]?.[key];
  return own === undefined || common === undefined
    ? common
    : [...common, refused(own, isAnswer ? OK : INVALID_ARGUMENT)];
}

function linesOf(key: string, isAnswer: boolean): readonly Attack[] | undefined {
  const field = key.slice(key.lastIndexOf('.') + 1);
  return (isAnswer ? ANSWERING[key] : undefined) ?? LINES[key] ?? LINES[field];
}

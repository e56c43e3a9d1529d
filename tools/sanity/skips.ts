/** What csi-sanity leaves out, and why that is right: anything else that it skips counts as a failure. */

/** Reasons as csi-sanity gives them, each with ours. */
const JUSTIFIED: Readonly<Record<string, string>> = {
  'ControllerGetVolumeHealth not supported': 'of CSI 1.13; the driver speaks 1.12 and tells conditions',
  'ControllerListVolumeHealth not supported': 'of CSI 1.13',
  'NodeGetVolumeHealth not supported': 'of CSI 1.13',
  'NodeGetStorageHealth not supported': 'of CSI 1.13',
  'NodeExpandVolume not supported': 'a mount of GlusterFS shows a new size by itself, a local image grows in use',
  'testnodevolumeattachlimit not enabled': 'a node has no limit of volumes',
  'SNAPSHOT_ACCESSIBILITY_CONSTRAINTS not supported': 'a snapshot is where its volume is, and so is a clone of it',
  'GetSnapshot not supported': 'snapshots are listed',
};

/** One test as ginkgo reports it. */
export interface Spec {
  readonly ContainerHierarchyTexts: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  readonly Failure?: { readonly Message?: string };
}

export interface SanityResult {
  readonly passed: number;
  /** Names of tests, each with what was wrong. */
  readonly failed: readonly string[];
  /** Reasons of skips, each with how often. */
  readonly skipped: ReadonlyMap<string, number>;
}

/**
 * Counts a report. What csi-sanity itself marks as pending is left out: it never runs.
 *
 * @param leftOut - tests that it was told to skip, by how their names begin, each with the reason
 */
export function judgeSpecs(specs: readonly Spec[], leftOut: Readonly<Record<string, string>> = {}): SanityResult {
  const failed: string[] = [];
  const skipped = new Map<string, number>();
  let passed = 0;
  for (const spec of specs.filter((each) => each.LeafNodeType === 'It')) {
    const message = spec.Failure?.Message ?? '';
    const name = [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ');
    const line = message === '' ? reasonIn(leftOut, name) : justify(message);
    if (spec.State === 'passed') passed += 1;
    else if (spec.State === 'skipped' && line !== undefined) {
      skipped.set(line, (skipped.get(line) ?? 0) + 1);
    } else if (spec.State !== 'pending') failed.push(`${name}: ${spec.State}: ${message.slice(0, 500)}`);
  }
  return { passed, failed, skipped };
}

function justify(message: string): string | undefined {
  const why = JUSTIFIED[message];
  return why === undefined ? undefined : `${message}: ${why}`;
}

function reasonIn(leftOut: Readonly<Record<string, string>>, name: string): string | undefined {
  const found = Object.entries(leftOut).find(([begin]) => name.startsWith(begin));
  return found === undefined ? undefined : `${found[0]}: ${found[1]}`;
}

/** What the versions of an entry in split-brain have in common, and whether one of them can be chosen. Pure. */
import type { EntryVersion } from './entry-version.ts';

/** One copy's version, as the agent of its node reports it. */
export interface CopyVersion extends EntryVersion {
  readonly copy: string;
  readonly node: string;
  readonly brickPath: string;
  /** Folder on the node that it was put aside in. */
  readonly savedIn?: string | undefined;
}

/**
 * data: the bytes differ. attributes: only owner, mode or times do. identity: different files of one name, made on several
 * nodes at once. type: a file here, a folder there. folder, other: no files at all.
 */
export type SplitBrainKind = 'data' | 'attributes' | 'identity' | 'type' | 'folder' | 'other';

/** The kind of a split-brain, from at least two versions; undefined for fewer. */
export function kindOf(versions: readonly CopyVersion[]): SplitBrainKind | undefined {
  const [first] = versions;
  if (first === undefined || versions.length < 2) return undefined;
  if (versions.some((version) => version.type !== first.type)) return 'type';
  if (first.type === 'folder') return 'folder';
  if (first.type !== 'file') return 'other';
  if (versions.some((version) => version.gfid !== first.gfid)) return 'identity';
  return versions.some((version) => version.sha256 !== first.sha256) ? 'data' : 'attributes';
}

/** Whether GlusterFS can make one version of such an entry the only one. */
export function isChoosable(kind: SplitBrainKind): boolean {
  return kind === 'data' || kind === 'attributes' || kind === 'identity';
}

export type Choice =
  | { readonly ok: true; readonly kept: CopyVersion; readonly lost: readonly CopyVersion[] }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Whether the version on a node can be chosen. Never true while a version of another copy is not put aside. */
export function chooseVersion(path: string, versions: readonly CopyVersion[], keep: string): Choice {
  const kind = kindOf(versions);
  if (kind === undefined) {
    const [only] = versions;
    return refuse(
      only === undefined ? `no copy holds ${path}` : `only the copy on ${only.node} holds ${path}`,
      'nothing is to be chosen; see: holdfast volume split-brain list',
    );
  }
  if (!isChoosable(kind)) {
    return refuse(`${path} ${DESCRIPTIONS[kind]}`, 'choose by hand; see docs/how-to/resolve-split-brain.md');
  }
  const chosen = versions.filter((version) => version.node === keep);
  const [kept] = chosen;
  if (kept === undefined || chosen.length > 1) {
    const nodes = versions.map((version) => version.node).join(', ');
    return refuse(`node ${keep} holds ${chosen.length} versions of ${path}`, `choose one of: ${nodes}`);
  }
  const unsaved = versions.find((version) => version.savedIn === undefined);
  if (unsaved !== undefined) return refuse(`the version of ${path} on ${unsaved.node} is not put aside`, 'try again');
  return { ok: true, kept, lost: versions.filter((version) => version !== kept) };
}

/**
 * Why the file that everybody reads after a choice is not the one that was kept; undefined when it is, or when somebody has
 * written it since.
 */
export function whyNotKept(
  { kept, lost }: Extract<Choice, { readonly ok: true }>,
  seen: { readonly gfid: string; readonly sha256: string },
): string | undefined {
  if (seen.gfid !== kept.gfid) return `a mount shows another file in its place (${seen.gfid} instead of ${kept.gfid})`;
  if (seen.sha256 === kept.sha256) return undefined;
  const still = lost.find((version) => version.sha256 === seen.sha256);
  return still === undefined ? undefined : `a mount still shows the version of ${still.node}`;
}

/** Said of a path: "/f holds other data on each". */
export const DESCRIPTIONS: Readonly<Record<SplitBrainKind, string>> = {
  data: 'holds other data on each',
  attributes: 'has another owner, mode or time on each, and the same data',
  identity: 'was made on each at once: different files of one name',
  type: 'is a file on one and something else on another, and GlusterFS cannot choose between them',
  folder: 'is a folder, and GlusterFS offers no choice for folders',
  other: 'is no file, and GlusterFS offers no choice for it',
};

function refuse(message: string, hint: string): Choice {
  return { ok: false, message: `${message}; nothing was changed`, hint };
}

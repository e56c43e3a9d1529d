/** What may be said of a new volume, and is of no use to its engine: refused even where it says what would be assumed. Pure. */
import type { BrickKind, EngineFault, EngineName } from './engines.ts';
import type { LayoutRequest } from './layout.ts';

/** What was said; left out is what was not. */
export interface SaidWords extends LayoutRequest {
  readonly pool?: string | undefined;
  readonly brick?: BrickKind | undefined;
  readonly zones?: readonly string[] | undefined;
}

const COPY_WORDS = ['pool', 'brick', 'zones', 'layout', 'replicas', 'distribution', 'allowSplitBrain'] as const;
type CopyWord = (typeof COPY_WORDS)[number];

/** In one sentence for all, since it is one reason. */
export const KEPT_BY_SERVER = 'does not go with engine nfs: the file server decides how it keeps the data';
/** Said of the failure mode. */
export const NO_QUORUM = 'does not go with engine local, which keeps one copy: there is no quorum that could be lost';
/** Said of allowSplitBrain. */
export const ONE_COPY = 'does not go with engine local, which keeps one copy';

/**
 * The words that the engine has no use for. Whoever reads a stored volume cannot tell what was said from what was filled in;
 * whoever is asked for one can.
 */
export function unusedWords(engine: EngineName, said: SaidWords): readonly EngineFault[] {
  if (engine === 'gluster') return [];
  if (engine === 'local') return said.allowSplitBrain === true ? [{ field: 'allowSplitBrain', message: ONE_COPY }] : [];
  const words: readonly CopyWord[] = COPY_WORDS.filter((word) => said[word] !== undefined && said[word] !== false);
  return words.map((field) => ({ field, message: KEPT_BY_SERVER }));
}

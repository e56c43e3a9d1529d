/** Lists in pages. A token says after which name to go on, so what comes and goes in between moves nothing else. */
import { AppError } from '../errors.ts';
import { labelFault } from '../names.ts';

const TOKEN = /^after\/(?<name>.+)$/;

export interface PageRequest {
  /** 0 for all. */
  readonly maxEntries: number;
  /** Empty for the first page. */
  readonly startingToken: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty after the last page. */
  readonly nextToken: string;
}

/**
 * Cuts a page out of a list.
 *
 * @param nameOf - a label that is each item's alone; the pages are in its order
 * @throws {AppError} invalid, for a negative number; conflict, for a token that this never gave out: as CSI asks, begin anew
 */
export function pageOf<T>(all: readonly T[], nameOf: (item: T) => string, request: PageRequest): Page<T> {
  const { maxEntries, startingToken } = request;
  if (maxEntries < 0) throw new AppError('invalid', `${maxEntries} is no number of entries`);
  const after = startingToken === '' ? '' : parseToken(startingToken);
  const rest = all.filter((item) => nameOf(item) > after).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  if (maxEntries === 0 || rest.length <= maxEntries) return { items: rest, nextToken: '' };
  const items = rest.slice(0, maxEntries);
  const last = items.at(-1);
  return { items, nextToken: last === undefined ? '' : `after/${nameOf(last)}` };
}

function parseToken(token: string): string {
  const name = TOKEN.exec(token)?.groups?.['name'];
  if (name !== undefined && labelFault(name) === undefined) return name;
  throw new AppError('conflict', 'the starting token is none of this driver', { hint: 'list from the beginning' });
}

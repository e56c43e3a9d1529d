/**
 * By which number GlusterFS's marks name each brick of a volume (trusted.afr.gv0-client-2). It is the brick's place when a
 * volume is new, and no longer when a brick was taken out: the others keep theirs, and one that is added gets the next
 * (measured with GlusterFS 10.3: 0 1, add: 0 1 2, take the first out: 1 2, add: 1 2 3; replace-brick keeps the number).
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import type { SnapshotPaths } from '../image/snapshot-paths.ts';

const FOLDER = '/var/lib/glusterd/vols';

/**
 * The numbers of the bricks of the volume that a copy is a member of, in their order, from glusterd's own files here.
 *
 * @throws {AppError} unavailable, when no volume of this glusterd has the copy, or its files cannot be understood
 */
export async function readClientNumbers(host: Host, copyUid: string): Promise<readonly number[]> {
  for (const volume of await host.files.list(FOLDER)) {
    const bricks = await host.files.list(`${FOLDER}/${volume}/bricks`);
    // A brick's file is called HOST:PATH with "-" for "/", and the path has the copy's UID in it.
    if (!bricks.some((name) => name.includes(copyUid))) continue;
    const info = await host.files.readText(`${FOLDER}/${volume}/info`);
    const names = [...info.matchAll(/^brick-(\d+)=(.+)$/gm)].toSorted((a, b) => Number(a[1]) - Number(b[1]));
    const texts = await Promise.all(
      names.map(([, , name = '']) => host.files.readText(`${FOLDER}/${volume}/bricks/${name}`)),
    );
    const numbers = texts.map((text) => Number(/^brick-id=.+-client-(\d+)$/m.exec(text)?.[1] ?? Number.NaN));
    if (numbers.length === bricks.length && numbers.every(Number.isInteger)) return numbers;
    throw new AppError(
      'unavailable',
      `the files of glusterd on ${host.name} about volume ${volume} are not understood`,
    );
  }
  throw new AppError('unavailable', `glusterd on ${host.name} knows no volume that the copy is a member of`);
}

/** Keeps them beside an image, for the clone that begins with it. */
export async function keepClientNumbers(
  host: Host,
  { clients }: SnapshotPaths,
  numbers: readonly number[],
): Promise<void> {
  await host.files.writeText(clients, `${numbers.join(' ')}\n`, { mode: 0o600 });
}

/** As they were kept. Undefined of an image from before they were: its bricks are taken to have their first numbers. */
export async function keptClientNumbers(
  host: Host,
  { clients }: SnapshotPaths,
): Promise<readonly number[] | undefined> {
  try {
    return (await host.files.readText(clients)).trim().split(' ').map(Number);
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

/**
 * The name of a mark in another volume whose bricks have their first numbers; undefined for a mark about a brick that is
 * no member any more.
 */
export function renameMark(name: string, volume: string, numbers: readonly number[] | undefined): string | undefined {
  const number = Number(/^trusted\.afr\..+-client-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
  if (!Number.isInteger(number)) return name;
  const place = numbers === undefined ? number : numbers.indexOf(number);
  return place < 0 ? undefined : `trusted.afr.${volume}-client-${place}`;
}

import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { Reading } from './look-at-volume.ts';
import { createPlacingRow } from './placing-row.ts';

type StoredVolume = Resource<'Volume'>;

const NOTHING: Reading = { allVolumes: () => [], allCopies: () => [], allSnapshots: () => [] };

function volume(name: string, more: Partial<StoredVolume> = {}): StoredVolume {
  const metadata = { name, uid: `uid-${name}`, resourceVersion: '1' };
  return { metadata, spec: {}, ...more } as StoredVolume;
}
const placed = (name: string): StoredVolume => ({
  ...volume(name, { status: { placement: [] } }),
  metadata: { ...volume(name).metadata, resourceVersion: '2' },
});
const turn = (number: number, isAwaited = true) => ({ number, isAwaited: () => isAwaited });
const names = (reading: Reading | undefined) => reading?.allVolumes().map(({ metadata }) => metadata.name);

function rowWith(number: number, isAwaited = true) {
  const clock = createFakeClock();
  const row = createPlacingRow(clock);
  row.add(turn(number, isAwaited), NOTHING, { before: volume('one'), stored: placed('one') });
  return { row, clock };
}

describe('volumes that are placed one after the other', () => {
  it('share one reading, with what was promised since', () => {
    const { row } = rowWith(1);
    const reading = row.readingFor(turn(2), volume('two'));
    expect(names(reading)).toEqual(['one']);
    row.add(turn(2), reading ?? NOTHING, { before: volume('two'), stored: placed('two') });
    expect(names(row.readingFor(turn(3), volume('three')))).toEqual(['one', 'two']);
  });

  it('read anew when somebody else had a turn since, when nobody waited, and when nothing was stored', () => {
    expect(rowWith(1).row.readingFor(turn(3), volume('two'))).toBeUndefined();
    expect(rowWith(1, false).row.readingFor(turn(2), volume('two'))).toBeUndefined();
    const { row } = rowWith(1);
    row.readingFor(turn(2), volume('two'));
    // Its turn ended with an error.
    expect(row.readingFor(turn(3), volume('three'))).toBeUndefined();
  });

  it('read anew after some seconds, however long the row is', async () => {
    const { row, clock } = rowWith(1);
    await clock.advance(3_000);
    const reading = row.readingFor(turn(2), volume('two'));
    expect(reading).toBeDefined();
    row.add(turn(2), reading ?? NOTHING, { before: volume('two'), stored: placed('two') });
    await clock.advance(3_000);
    expect(row.readingFor(turn(3), volume('three'))).toBeUndefined();
  });

  it('are only those that begin empty: others rest on more than room', () => {
    const clone = volume('two', { spec: { source: { snapshot: 's' } } } as unknown as Partial<StoredVolume>);
    for (const other of [clone, placed('two')]) expect(rowWith(1).row.readingFor(turn(2), other)).toBeUndefined();
  });

  it('are known as placed until the news of it is there', () => {
    const { row } = rowWith(1);
    expect(row.isPlaced(volume('one'))).toBe(true);
    expect(row.isPlaced(placed('one'))).toBe(false);
    expect(row.isPlaced(volume('two'))).toBe(false);
  });
});

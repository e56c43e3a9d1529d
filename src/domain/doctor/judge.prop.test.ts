import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NodeFacts } from '../../schemas/node-facts.ts';
import { judge } from './judge.ts';
import { type Repair } from './repair.ts';
import { FAKE_NODES, healthyWorld } from './world.fake.ts';

type Engine = NodeFacts['engine'];

const name = fc.constantFrom('kube1', 'kube2', 'kube3', 'kube4');
const volume = fc.constantFrom('gv0', 'gv1');
const path = fc.constantFrom('/pool/a', '/pool/b', '/data');
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 3 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
const version = fc.constantFrom(90000, 100000, 110000);

const engine: fc.Arbitrary<Engine> = fc
  .record({
    isAnswering: fc.boolean(),
    noticesLostPeers: fc.boolean(),
    id: maybe(name),
    opVersion: maybe(version),
    maxOpVersion: maybe(version),
    peers: few(
      fc.record({
        uuid: name,
        names: few(name),
        isConnected: fc.boolean(),
        isMember: fc.boolean(),
        stateText: fc.string(),
      }),
    ),
    bricks: few(fc.record({ volume, path, isOnline: fc.boolean(), diskError: maybe(fc.constant('EIO')) })),
    emptyVolumeFiles: few(volume),
    mounts: few(fc.record({ path, source: fc.string(), state: fc.constantFrom('answering', 'silent', 'dead') })),
    copyFolders: few(fc.record({ pool: fc.string(), path, copyUid: fc.constantFrom('copy-on-kube1', 'nobody') })),
    leftovers: few(fc.record({ path, isEmpty: fc.boolean() })),
    blind: few(fc.string({ minLength: 1 })),
  })
  .map(({ id, opVersion, maxOpVersion, bricks, ...rest }) => ({
    ...{ name: 'gluster', endpoints: [], ...rest },
    ...(id === undefined ? {} : { id }),
    ...(opVersion === undefined ? {} : { opVersion }),
    ...(maxOpVersion === undefined ? {} : { maxOpVersion }),
    bricks: bricks.map(({ diskError, ...brick }) => (diskError === undefined ? brick : { ...brick, diskError })),
  }));

/** What must have been seen on the node itself, for the repair to be one that loses nothing. */
function isJustified(repair: Repair, facts: Engine): boolean {
  switch (repair.repair) {
    case 'raiseOpVersion':
      return facts.maxOpVersion === repair.version && (facts.opVersion ?? Infinity) < repair.version;
    case 'rewriteVolumeFiles':
      return facts.isAnswering && facts.emptyVolumeFiles.includes(repair.volume);
    case 'startBricks':
      return facts.bricks.some(
        (each) => each.volume === repair.volume && !each.isOnline && each.diskError === undefined,
      );
    case 'healVolume':
      return facts.isAnswering;
    case 'detachMount':
      return facts.mounts.some((each) => each.path === repair.path && each.state === 'dead');
    case 'removeVolumeId':
      return facts.leftovers.some((each) => each.path === repair.path && each.isEmpty);
  }
}

test('whatever the agents tell, each finding is whole, and each repair is justified on the node that does it', () => {
  fc.assert(
    fc.property(fc.tuple(engine, engine, engine), (engines) => {
      const world = healthyWorld((facts, node) => {
        const seen = engines[FAKE_NODES.indexOf(node as (typeof FAKE_NODES)[number])];
        return seen === undefined ? facts : { ...facts, engine: seen };
      });
      for (const { finding, remedy } of judge(world)) {
        expect(finding.isFixable).toBe(remedy !== undefined);
        expect(finding.doc).toBe(`docs/reference/checks.md#${finding.id.toLowerCase()}`);
        if (finding.status === 'ok') continue;
        for (const text of [finding.subject, finding.evidence, finding.meaning, finding.fix]) expect(text).not.toBe('');
        if (remedy === undefined) continue;
        const examination = world.examinations.get(remedy.node);
        const facts = examination !== undefined && 'facts' in examination ? examination.facts.engine : undefined;
        expect(facts !== undefined && isJustified(remedy.repair, facts)).toBe(true);
      }
    }),
  );
});

test('the order in which nodes answered changes nothing', () => {
  fc.assert(
    fc.property(
      fc.tuple(engine, engine, engine),
      fc.shuffledSubarray([...FAKE_NODES], { minLength: 3 }),
      (engines, order) => {
        const world = healthyWorld((facts, node) => {
          const seen = engines[FAKE_NODES.indexOf(node as (typeof FAKE_NODES)[number])];
          return seen === undefined ? facts : { ...facts, engine: seen };
        });
        const keys = (nodes: readonly string[]) => {
          const examinations = new Map(
            [...world.examinations].toSorted(([a], [b]) => nodes.indexOf(a) - nodes.indexOf(b)),
          );
          return judge({ ...world, examinations })
            .map(({ finding }) => `${finding.id} ${finding.status} ${finding.subject}`)
            .toSorted();
        };
        expect(keys(order)).toEqual(keys(FAKE_NODES));
      },
    ),
  );
});

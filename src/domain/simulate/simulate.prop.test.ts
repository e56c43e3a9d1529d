import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { choosePlacement } from '../placement/choose-placement.ts';
import { placementInput } from '../placement/from-resources.ts';
import { copySizes, poolBytesOf } from '../volume/copy-size.ts';
import { decideVolume } from '../volume/decide-volume.ts';
import { addNode, biggestVolume, type NewNode, simulateAddedNode } from './add-node.ts';
import { clusterOf, type VolumeSketch } from './cluster.fake.ts';
import { simulateGrowth } from './grow.ts';
import { judgeVolume, type Outcome } from './judge-volume.ts';
import { loseNodes, serverQuorum } from './lose-nodes.ts';
import { promisedCopies, seeVolume } from './see-volume.ts';
import { simulateLoss } from './simulate-loss.ts';
import type { StoredCluster } from './stored-cluster.ts';

const runs = { numRuns: 150 };
const RANK: Readonly<Record<Outcome, number>> = { notReady: 0, unavailable: 1, served: 2, redundant: 3 };

const NODE_NAMES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];

/** Clusters of up to six nodes with volumes of every layout, some down, healing, waiting or being deleted. */
const arbitraryCluster: fc.Arbitrary<StoredCluster> = fc
  .record({
    nodes: fc.array(
      fc.record({
        zone: fc.constantFrom('a', 'b', 'c', 'none'),
        isReady: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn > 0),
        capacityGib: fc.integer({ min: 1, max: 20 }),
      }),
      { minLength: 1, maxLength: NODE_NAMES.length },
    ),
    volumes: fc.array(arbitraryVolume(), { maxLength: 5 }),
  })
  .map(({ nodes, volumes }) => {
    const named = nodes.map(({ zone, ...node }, at) => {
      return { ...node, name: NODE_NAMES[at] ?? '', ...(zone === 'none' ? {} : { zone }) };
    });
    const known = new Set(named.map((node) => node.name));
    const sketches = volumes.map(({ order, wanted, ...volume }, at): VolumeSketch => {
      const count = volume.layout === 'single' ? 1 : volume.layout === 'arbiter' ? 3 : wanted;
      const places = order.filter((name) => known.has(name)).slice(0, count);
      const isPlaced = places.length === count && !volume.isWaiting;
      return {
        ...volume,
        name: `v${at}`,
        nodes: isPlaced ? places : [],
        mounts: volume.mounts.filter((mount) => known.has(mount.node)),
      };
    });
    return clusterOf(named, sketches);
  });

function arbitraryVolume() {
  return fc.record({
    layout: fc.constantFrom('single' as const, 'replicated' as const, 'arbiter' as const),
    wanted: fc.integer({ min: 2, max: 5 }),
    order: fc.shuffledSubarray(NODE_NAMES, { minLength: 6 }),
    sizeGib: fc.integer({ min: 1, max: 12 }),
    brick: fc.constantFrom('image' as const, 'directory' as const),
    down: fc.subarray([0, 1, 2, 3, 4], { maxLength: 2 }),
    pendingHeals: fc.constantFrom(0, 0, 0, 2),
    isWaiting: fc.integer({ min: 0, max: 4 }).map((drawn) => drawn === 0),
    isDeleting: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
    mounts: fc.uniqueArray(fc.record({ node: fc.constantFrom(...NODE_NAMES), missing: fc.constantFrom(0, 0, 1) }), {
      selector: (mount) => mount.node,
      maxLength: 2,
    }),
  });
}

/** Any of the names of nodes, known in the cluster or not. */
const arbitraryNames: fc.Arbitrary<readonly string[]> = fc.subarray(NODE_NAMES);

const arbitraryNode: fc.Arbitrary<NewNode> = fc.record({
  name: fc.constant('new1'),
  zone: fc.constantFrom('a', 'z'),
  pools: fc.integer({ min: 1, max: 40 }).map((gib) => [{ name: 'default', bytes: gib * 2 ** 30 }]),
});

/** A mount that reconnects on a lost node no longer counts, which is a gain of a kind; without it nothing may be. */
function withoutLag(stored: StoredCluster): StoredCluster {
  return { ...stored, attachments: stored.attachments.map((record) => ({ ...record, status: { state: 'Waiting' } })) };
}

describe('losing nodes', () => {
  test('losing more never makes a volume better', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryNames, arbitraryNames, (drawn, some, more) => {
        const stored = withoutLag(drawn);
        const fewer = simulateLoss(stored, some).volumes;
        const all = simulateLoss(stored, [...some, ...more]).volumes;
        for (const [at, loss] of all.entries()) {
          const less = fewer[at];
          expect(RANK[loss.after]).toBeLessThanOrEqual(RANK[less?.after ?? 'notReady']);
          expect(loss.spareCopies).toBeLessThanOrEqual(less?.spareCopies ?? 0);
        }
      }),
      runs,
    );
  });

  test('losing nothing, or a node that is gone already, changes nothing', () => {
    fc.assert(
      fc.property(arbitraryCluster, (stored) => {
        const away = stored.nodes.filter((node) => node.status?.conditions?.[0]?.status !== 'True');
        for (const names of [[], ['unknown']]) {
          expect(loseNodes(stored, new Set(names))).toBe(stored);
          for (const loss of simulateLoss(stored, names).volumes) expect(loss.after).toBe(loss.before);
        }
        fc.pre(serverQuorum(stored).isMet);
        const gone = away.map((node) => node.metadata.name ?? '');
        for (const loss of simulateLoss(stored, gone).volumes) expect(loss.after).toBe(loss.before);
      }),
      runs,
    );
  });

  test('the answer is what the controller would say of the cluster after the loss', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryNames, (stored, names) => {
        // The loss made by hand: nodes gone from the list are as little usable as silent ones.
        const nodes = stored.nodes.filter((node) => !names.includes(node.metadata.name ?? ''));
        const left = { ...stored, nodes };
        const active = serverQuorum(left).active;
        const isStopped = names.length > 0 && nodes.length < stored.nodes.length && active * 2 <= stored.nodes.length;
        for (const loss of simulateLoss(stored, names).volumes) {
          const volume = stored.volumes.find((each) => each.metadata.name === loss.volume);
          if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) continue;
          const ready = decideVolume(seeVolume(left, volume)).claims.find((claim) => claim.type === 'Ready');
          const serves = isStopped && volume.spec.layout !== 'single' ? false : ready?.status === 'True';
          expect(loss.after === 'redundant' || loss.after === 'served').toBe(serves);
        }
      }),
      runs,
    );
  });

  test('a served volume has more than half of its copies on usable nodes, and more than half of the nodes are left', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryNames, (stored, names) => {
        const { volumes, serverQuorum: quorum } = simulateLoss(stored, names);
        for (const { volume: name, after, spareCopies } of volumes) {
          if (after !== 'served' && after !== 'redundant') continue;
          const volume = stored.volumes.find((each) => each.metadata.name === name);
          const placed = volume?.status?.placement ?? [];
          const left = placed.filter(({ node }) => !names.includes(node));
          expect(left.length * 2).toBeGreaterThan(placed.length);
          expect(spareCopies).toBeLessThan(left.length);
          if (volume?.spec.layout !== 'single' && names.some((node) => isKnown(stored, node))) {
            expect(quorum.isMet).toBe(true);
          }
        }
      }),
      runs,
    );
  });

  test('copies are restored only on nodes that are left and hold none, and never beyond the room of a pool', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryNames, (stored, names) => {
        const taken = new Map<string, number>();
        for (const { volume: name, restore } of simulateLoss(stored, names).volumes) {
          if (restore?.hasRoom !== true) continue;
          const volume = named(stored, name);
          const left = placedOn(volume).filter((node) => !names.includes(node) && isUp(stored, node));
          for (const { node, role } of restore.places) {
            expect([...names, ...left]).not.toContain(node);
            taken.set(node, (taken.get(node) ?? 0) + poolBytesOf(volume.spec, copySizes(volume.spec)[role]));
          }
        }
        for (const [node, bytes] of taken) expect(bytes).toBeLessThanOrEqual(freeBytes(stored, node));
      }),
      runs,
    );
  });
});

describe('adding a node', () => {
  test('never makes anything worse', () => {
    fc.assert(
      fc.property(arbitraryCluster, arbitraryNode, arbitraryNames, (stored, node, names) => {
        const report = simulateAddedNode(stored, node);
        for (const { before, after } of report.biggest) expect(after).toBeGreaterThanOrEqual(before);
        const [now, then] = [simulateLoss(stored, names), simulateLoss(addNode(stored, node), names)];
        for (const [at, loss] of now.volumes.entries()) {
          expect(RANK[then.volumes[at]?.after ?? 'notReady']).toBeGreaterThanOrEqual(RANK[loss.after]);
        }
        for (const { volume: name, fits } of report.waiting) {
          const volume = stored.volumes.find((each) => each.metadata.name === name);
          // What does not fit by itself without the node must not be said to.
          if (volume !== undefined && fits === 'before') expect(seeVolume(stored, volume).place().ok).toBe(true);
        }
      }),
      runs,
    );
  });

  test('the biggest volume fits, and one of a MiB more does not', () => {
    fc.assert(
      fc.property(arbitraryCluster, (stored) => {
        const biggest = biggestVolume(stored, 'default');
        const fits = (bytes: number) => {
          const spec = {
            engine: 'gluster',
            layout: 'replicated',
            replicas: 3,
            pool: 'default',
            brick: 'image',
          } as const;
          const volume = { name: 'new', spec: { ...spec, size: String(bytes) } };
          return choosePlacement(placementInput(volume, stored.nodes, promisedCopies(stored))).ok;
        };
        expect(biggest === 0 || fits(biggest)).toBe(true);
        expect(fits(Math.max(biggest, 127 * 2 ** 20) + 2 ** 20)).toBe(false);
      }),
      runs,
    );
  });
});

test('faster growth never fills a pool later, and losing the largest node never leaves more', () => {
  fc.assert(
    fc.property(arbitraryCluster, fc.nat(50), fc.nat(50), (stored, percent, more) => {
      const slow = simulateGrowth(stored, { percent, months: 24 });
      const fast = simulateGrowth(stored, { percent: percent + more, months: 24 });
      const month = (fill: { readonly fullInMonth?: number } | undefined) => fill?.fullInMonth ?? 25;
      for (const [at, pool] of slow.pools.entries()) expect(month(fast.pools[at])).toBeLessThanOrEqual(month(pool));
      for (const total of slow.totals) {
        expect(total.afterLoss?.limitBytes).toBeLessThanOrEqual(total.limitBytes);
        expect(month(total.afterLoss)).toBeLessThanOrEqual(month(total));
      }
    }),
    runs,
  );
});

test('what is seen of a volume is judged, whatever state it is in', () => {
  fc.assert(
    fc.property(arbitraryCluster, (stored) => {
      for (const volume of stored.volumes) {
        const judged = judgeVolume(stored, volume);
        if (volume.status?.placement === undefined) expect(judged.outcome).toBe('notReady');
        expect(judged.message).not.toBe('');
      }
    }),
    runs,
  );
});

function isKnown(stored: StoredCluster, name: string): boolean {
  return stored.nodes.some((node) => node.metadata.name === name);
}

function isUp(stored: StoredCluster, name: string): boolean {
  const node = stored.nodes.find((each) => each.metadata.name === name);
  return node?.status?.conditions?.[0]?.status === 'True';
}

function named(stored: StoredCluster, name: string): StoredCluster['volumes'][number] {
  const volume = stored.volumes.find((each) => each.metadata.name === name);
  if (volume === undefined) throw new Error(`${name} was told of and is not there`);
  return volume;
}

function placedOn(volume: StoredCluster['volumes'][number]): readonly string[] {
  return (volume.status?.placement ?? []).map(({ node }) => node);
}

function freeBytes(stored: StoredCluster, name: string): number {
  return stored.nodes.find((node) => node.metadata.name === name)?.status?.pools?.[0]?.freeBytes ?? 0;
}

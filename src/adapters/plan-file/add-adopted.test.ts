import { expect, test } from 'vitest';
import type { PlanVolume } from '../../schemas/plan-file.ts';
import { ADOPTED_HEADER, addAdoptedToPlan } from './add-adopted.ts';
import { parsePlan } from './parse-plan.ts';

const NODES = [
  { host: 'kube1', ip: '10.91.0.1' },
  { host: 'kube2', ip: '10.91.0.2' },
];
const VOLUME: PlanVolume = {
  ...{ name: 'gv0', size: '1Gi', layout: 'replicated', replicas: 2, allowSplitBrain: true },
  adopted: {
    engineId: '53cd60b0-7199-4cc7-8d76-f96b48172a7b',
    bricks: NODES.map(({ host }) => ({ node: host, path: '/mnt/glusterVolume0' })),
  },
};
const parse = (text: string) => parsePlan(new TextEncoder().encode(text), 'the plan');

test('a new plan says where it comes from, how to log in, and holds what was found', () => {
  const ssh = { user: 'root', port: 22 };
  const text = addAdoptedToPlan(ADOPTED_HEADER, { nodes: NODES, volumes: [VOLUME], ssh });
  expect(text.startsWith(ADOPTED_HEADER.split('\n')[0] ?? '')).toBe(true);
  expect(parse(text)).toEqual({ storage: { expected_count: 2, nodes: NODES }, volumes: [VOLUME], ssh });
});

test('what is there stays as it was written, with its comments, and is added to', () => {
  const before = `# ours
storage:
  expected_count: 1 # counted
  nodes:
    - { host: kube1, ip: 10.91.0.1, pools: [{ name: default, path: /mnt/p }] } # the first
ssh: { user: admin }
volumes:
  - { name: own, size: 1Gi, layout: single }
`;
  const text = addAdoptedToPlan(before, { nodes: NODES.slice(1), volumes: [VOLUME], ssh: { user: 'root' } });
  for (const comment of ['# ours', '# counted', '# the first']) expect(text).toContain(comment);
  const plan = parse(text);
  expect(plan.storage?.expected_count).toBe(2);
  expect(plan.storage?.nodes?.map((node) => node.host)).toEqual(['kube1', 'kube2']);
  expect(plan.volumes?.map((volume) => volume.name)).toEqual(['own', 'gv0']);
  expect(plan.ssh).toEqual({ user: 'admin' });
});

test('an adopted volume must be whole: its bricks on nodes of the plan, as many as its layout has', () => {
  const found = { nodes: NODES.slice(0, 1), volumes: [VOLUME] };
  const faults = (text: string) => {
    try {
      parse(text);
      return [];
    } catch (error) {
      return (error as { faults: readonly { message: string }[] }).faults.map((fault) => fault.message);
    }
  };
  expect(faults(addAdoptedToPlan('', found))).toEqual([
    expect.stringContaining('"kube2", which is no node of this plan'),
  ]);
  const text = addAdoptedToPlan('', { nodes: NODES, volumes: [VOLUME] });
  expect(faults(text.replace('replicas: 2', 'replicas: 3'))).toEqual([
    expect.stringContaining('its layout has 3 copies, and 2 bricks are adopted'),
  ]);
  expect(faults(text.replace('layout: replicated', 'layout: striped'))).toEqual([
    expect.stringContaining('the layout that it has'),
  ]);
});

test('what is no plan at all is refused', () => {
  expect(() => addAdoptedToPlan('- a list', { nodes: [], volumes: [] })).toThrow('not YAML that');
});

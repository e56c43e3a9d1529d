import { expect, test } from 'vitest';
import { PlanFile } from '../../schemas/plan-file.ts';
import { checkPlan } from './check-plan.ts';
import { resolvePlan } from './resolve-plan.ts';

const pools = [{ name: 'default', path: '/mnt/pool' }];
const nodes = ['kube1', 'kube2', 'kube3'].map((host, at) => ({ host, ip: `10.91.1.${at + 1}`, pools }));
const planOf = (wish: object, volume: object = {}) => ({
  storage: { expected_count: 3, nodes },
  volumes: [{ name: 'gv0', size: '1Gi', ...volume, export: { nodes: ['kube1'], ...wish } }],
});
const faultsOf = (wish: object, volume: object = {}) =>
  checkPlan(planOf(wish, volume)).map(({ path, message, fix }) => `${path.slice(2).join('.')}: ${message}; ${fix}`);

test.each([
  [{ to: ['10.10.*.*'] }, {}],
  [{}, { allow: ['10.10.1.2'] }],
  [{ to: ['10.10.1.2'], nodes: 'all' }, { allow: ['10.10.0.0/16'] }],
  [{ to: ['0.0.0.0/0'], beyondAllowed: true }, { allow: ['10.10.0.0/16'] }],
  [{ to: ['10.91.1.2'] }, { allow: ['10.10.0.0/16'] }],
])('%j of a volume with %j is a good export', (wish, volume) => {
  expect(faultsOf(wish, volume)).toEqual([]);
  expect(PlanFile.safeParse(planOf(wish, volume)).success).toBe(true);
});

test.each([
  [{}, {}, /^export: nobody is named .*; name them: to/],
  [
    { to: ['10.10.0.0/16'] },
    { allow: ['10.10.1.*'] },
    /^export\.to: 10\.10\.0\.0\/16 may not mount .*beyondAllowed: true$/,
  ],
  [{ to: ['fe80::1'] }, {}, /^export\.to: client "fe80::1" .*IPv6 is not served$/],
  [{ to: ['10.*.1.1'] }, {}, /^export\.to: client/],
  [{ to: ['10.10.1.1'] }, { engine: 'local', layout: 'single' }, /^export: only a volume of engine gluster/],
  [{ to: ['10.10.1.1'], nodes: ['kube9'] }, {}, /^export\.nodes\.0: "kube9" is no node of this plan/],
])('%j of a volume with %j is refused', (wish, volume, message) => {
  expect(faultsOf(wish, volume)).toEqual([expect.stringMatching(message)]);
});

test('an adopted volume is exported only when that is said: who may mount it is with the engine', () => {
  const adopted = { engineId: 'x', bricks: [] };
  expect(faultsOf({ to: ['10.10.1.1'] }, { layout: 'replicated', adopted })).toContainEqual(
    expect.stringContaining('only the engine knows'),
  );
});

test('everything that is not said has its default', () => {
  const [volume] = resolvePlan(PlanFile.parse(planOf({ nodes: 'all' }, { allow: ['10.10.*.*'] }))).volumes;
  const terms = { clients: ['10.10.0.0/16'], isReadOnly: false, squash: 'none', mayGoBeyond: false };
  expect(volume?.exports).toEqual(['kube1', 'kube2', 'kube3'].map((node) => ({ node, ...terms })));
});

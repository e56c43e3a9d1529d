import { expect, test } from 'vitest';
import { addNodeToPlan } from './add-node.ts';
import { parsePlan } from './parse-plan.ts';

const PLAN = `# our rack
storage:
  expected_count: 1 # keep in step
  nodes:
    # the old one
    - host: kube1 # under the desk
      ip: 10.0.0.1

volumes: [] # none yet
`;
const parse = (text: string) => parsePlan(new TextEncoder().encode(text), 'plan.yaml');

test('a node is added, the count raised, and every comment stays', () => {
  const text = addNodeToPlan(PLAN, { host: 'kube2', ip: '10.0.0.2', internalip: '10.1.0.2' });
  for (const comment of ['# our rack', '# keep in step', '# the old one', '# under the desk', '# none yet']) {
    expect(text).toContain(comment);
  }
  expect(text).toContain('expected_count: 2 # keep in step');
  expect(parse(text).storage?.nodes).toEqual([
    { host: 'kube1', ip: '10.0.0.1' },
    { host: 'kube2', ip: '10.0.0.2', internalip: '10.1.0.2' },
  ]);
});

test('a plan without nodes gets its first', () => {
  const text = addNodeToPlan('# nothing yet\n', { host: 'kube1', ip: '10.0.0.1' });
  expect(parse(text).storage).toEqual({ expected_count: 1, nodes: [{ host: 'kube1', ip: '10.0.0.1' }] });
});

test('a list in one line stays one', () => {
  const text = addNodeToPlan('storage: { expected_count: 1, nodes: [{ host: a, ip: 10.0.0.1 }] }\n', {
    host: 'b',
    ip: '10.0.0.2',
  });
  expect(parse(text).storage?.nodes?.map((node) => node.host)).toEqual(['a', 'b']);
});

import { expect, test } from 'vitest';
import { unitName, unitText } from './services.ts';

const agent = { name: 'agent', description: 'Holdfast agent of kube1' };

test('a unit starts exactly the arguments and leaves the mounts of a stopped agent alone', () => {
  const text = unitText({ ...agent, argv: ['/opt/h/node', 'main.mjs', 'node', '--name', 'kube1'] });
  expect(text).toContain('\nExecStart=/opt/h/node main.mjs node --name kube1\n');
  expect(text).toContain('\nKillMode=process\n');
  expect(text).toContain('\nRestart=always\n');
  expect(unitName(agent)).toBe('holdfast-agent.service');
});

test('what systemd would replace reaches the program as it is', () => {
  const text = unitText({ ...agent, argv: ['/bin/x', 'a b', '100%', '$HOME', 'say "no"', 'back\\slash'] });
  expect(text).toContain('ExecStart=/bin/x "a b" 100%% "$$HOME" "say \\"no\\"" "back\\\\slash"\n');
});

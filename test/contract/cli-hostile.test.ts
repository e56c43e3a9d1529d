/** Names that are attacks or accidents, for every verb that takes one: a clear refusal each, and nothing changed. */
import { describe, expect, test } from 'vitest';
import { createFakeCluster } from '../../src/usecases/cluster.fake.ts';
import { runAs } from './kismatic-cli.ts';

const NAMES = [
  '',
  ' ',
  '.',
  '..',
  '../x',
  '/etc/passwd',
  '-rf',
  '--force',
  'a b',
  'A',
  'a/b',
  'x;id',
  '$(id)',
  'x\ny',
  'x\u0000',
  '\u001b[31mred',
  'größe',
  'ｇｖ０',
  'gv0\u200b',
  '\u202e0vg',
  '%2e%2e',
  'a'.repeat(300),
];

/** The words before the name, and those after it. */
const VERBS: readonly (readonly [before: readonly string[], after?: readonly string[]])[] = [
  [['volume', 'show']],
  [['volume', 'delete']],
  [['volume', 'grow'], ['1Gi']],
  [['volume', 'heal']],
  [['volume', 'rebalance']],
  [['volume', 'convert', '--replicas', '3']],
  [['volume', 'set-profile'], ['database']],
  [['volume', 'snapshot', 'take'], ['s1']],
  [['volume', 'snapshot', 'delete']],
  [['volume', 'clone'], ['copy']],
  [['volume', 'restore'], ['s1']],
  [['volume', 'split-brain', 'list']],
  [['volume', 'split-brain', 'show'], ['/a']],
  [['volume', 'split-brain', 'resolve', '--keep', 'kube1'], ['/a']],
  [['node', 'show']],
  [['node', 'drain']],
  [['node', 'undrain']],
  [['node', 'replace']],
  [['disk', 'replace']],
  [['explain', 'volume']],
  [['simulate', 'lose-node']],
  [['simulate', 'lose-zone']],
  [['doctor', '--node'], []],
];

describe.each<(typeof VERBS)[number]>(VERBS)('%j', (before = [], after = []) => {
  test('refuses every one of them', async () => {
    const cluster = await createFakeCluster(['kube1', 'kube2', 'kube3']);
    const version = cluster.client.version();
    for (const name of NAMES) {
      const isOption = before.at(-1)?.startsWith('--') === true && Number.isNaN(Number(before.at(-1)));
      const args = isOption ? [...before, name] : ['--yes', ...before, '--', name, ...after];
      const run = await runAs('holdfast', args, { cluster });
      expect({ name, ...run }).toMatchObject({
        stdout: '',
        code: expect.toSatisfy((code) => code === 2 || code === 4),
      });
      expect(run.stderr).toMatch(/^error: .+\n/);
      expect(run.stderr.length).toBeLessThan(600);
      // Nothing of it acts on the terminal, or hides in it.
      expect(run.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    expect(cluster.client.version()).toBe(version);
  });
});

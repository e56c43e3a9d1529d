import { expect, test } from 'vitest';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { Command } from '../../ports/host.ts';
import { createFakeMetrics } from '../../ports/metrics.fake.ts';
import { RunError } from '../../ports/run-error.ts';
import { measureCommands } from './measure-commands.ts';

test('each program is measured by its name and how it ended', async () => {
  const metrics = createFakeMetrics();
  const run = async ({ args: [failure] }: Command) => {
    if (failure === 'timeout') throw new RunError('too slow', { failure, file: 'mount' });
    return { stdout: '', stderr: '', code: 0 };
  };
  const measured = measureCommands(run, { clock: createFakeClock(), metrics });
  await measured({ file: '/usr/sbin/mount.nfs', args: [], timeoutMs: 1 });
  await expect(measured({ file: 'mount', args: ['timeout'], timeoutMs: 1 })).rejects.toThrow('too slow');
  expect(metrics.observed).toEqual([
    'holdfast_command_duration_seconds{program=mount.nfs,result=ok}',
    'holdfast_command_duration_seconds{program=mount,result=timeout}',
  ]);
});

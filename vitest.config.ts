import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tools/test/longest-first.ts';

/** One project per level of test; `tools/test/index.ts` says in which order they run and what each needs. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          // No unit test takes this long; the limit is for machines that do other things as well.
          testTimeout: 60_000,
          // Modules keep no state of their own here, so files can share them: loading them anew took most of the time.
          isolate: false,
        },
      },
      { test: { name: 'tools', include: ['tools/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 } },
      { test: { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: 300_000 } },
      {
        test: { name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 120_000, hookTimeout: 60_000 },
      },
      // What needs a kernel that this machine may not have: it is started as a program, and runs the tests of `guest`.
      { test: { name: 'vm', include: ['test/vm/*.test.ts'], testTimeout: 3_600_000, hookTimeout: 1_200_000 } },
      {
        test: {
          name: 'guest',
          include: ['test/vm/guest/**/*.test.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 600_000,
          // It has one processor.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/engine/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          // One keeps some 0.6 of a processor busy; a third gained one minute of 21, and tests met their limits. Each file makes
          // labs of its own.
          maxWorkers: 2,
          // GlusterFS itself has rare races (a command that meets a handshake hangs, for one). A test that fails is run
          // once more and reported with its retry; two failures in a row are a failure.
          retry: 1,
        },
      },
      {
        // A whole Kubernetes: `npm run e2e:k8s`. The first run builds it, which takes half an hour.
        test: {
          name: 'k8s',
          include: ['test/k8s/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 3_600_000,
          // Each file makes a cluster of its own.
          maxWorkers: 1,
        },
      },
    ],
  },
});

/**
 * Flags of Node.js for an agent, which serves a machine that is there for something else. It makes little garbage, so a nursery
 * of 1 MiB is enough; what it does is over sooner than V8 has made it fast; and V8 needs one thread beside its own: each more keeps
 * memory for what it has compiled and collected (measured on 24.21: docs/explanation/measurements.md).
 */
export const AGENT_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--v8-pool-size=1'] as const;

/**
 * For a controller, which answers for a whole cluster, and has 512 MiB for it. V8 lets a heap grow to several times what is alive before
 * it collects: with 20,000 volumes, 100 MiB alive, that was 390 MiB of heap.
 */
export const CONTROLLER_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=30'] as const;

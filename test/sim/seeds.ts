/** Which seeds a simulation runs with. `SIM_SEED=17 npx vitest run --project sim ...` runs each test with that one alone. */

/** Seeds from 1 to `count`, or the one in SIM_SEED; `SIM_SEEDS=200` runs so many of each. */
export function seeds(count: number): readonly number[] {
  const { SIM_SEED: one, SIM_SEEDS: many } = process.env;
  if (one !== undefined) return [Number(one)];
  return Array.from({ length: many === undefined ? count : Number(many) }, (_, at) => at + 1);
}

/** Runs a simulation and names its seed when it fails. */
export async function withSeed<T>(seed: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`seed ${seed} (run it again with SIM_SEED=${seed}): ${message}`, { cause: error });
  }
}

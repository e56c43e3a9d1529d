/** kubectl, as people use it: apply, get, wait; nothing here knows the API but it. */
import { AppError } from '../../src/domain/errors.ts';
import type { Host } from '../../src/ports/host.ts';

const TIMEOUT_MS = 180_000;

export interface Kubectl {
  /** Standard output. @throws {RunError} with what it said */
  run(...args: readonly string[]): Promise<string>;
  applyFile(path: string): Promise<void>;
  /** Waits until kubectl's own condition holds: "jsonpath={.status.phase}=Bound", "condition=Ready", "delete". */
  until(what: string, condition: string, timeoutMs?: number): Promise<void>;
}

export function createKubectl(machine: Host, kubeconfig: string, cacheFolder: string): Kubectl {
  const common = ['--kubeconfig', kubeconfig, '--cache-dir', cacheFolder];
  const run = async (args: readonly string[]): Promise<string> =>
    (await machine.run({ file: 'kubectl', args: [...common, ...args], timeoutMs: TIMEOUT_MS })).stdout;
  return {
    run: (...args) => run(args),
    applyFile: async (path) => {
      await run(['apply', '--server-side', '-f', path]);
    },
    until: async (what, condition, timeoutMs = 60_000) => {
      const args = ['wait', what, `--for=${condition}`, `--timeout=${Math.ceil(timeoutMs / 1000)}s`];
      try {
        await run(args);
      } catch (error) {
        const seen = await run(['describe', what]).catch(() => 'it is not there');
        throw new AppError('timeout', `waited in vain for ${condition} of ${what}: ${seen}`, { cause: error });
      }
    },
  };
}

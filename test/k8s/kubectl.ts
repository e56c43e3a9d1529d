/** kubectl, as people use it: apply, get, wait; nothing here knows the API but it. */
import { AppError } from '../../src/domain/errors.ts';
import type { Host } from '../../src/ports/host.ts';
import { isRunError } from '../../src/ports/run-error.ts';

const TIMEOUT_MS = 180_000;

export interface Kubectl {
  /** Standard output. @throws {RunError} with what it said */
  run(...args: readonly string[]): Promise<string>;
  apply(...objects: readonly object[]): Promise<void>;
  /** What the API server would make of a new object, as JSON; nothing is stored. */
  dryRun(object: object): Promise<string>;
  applyFile(path: string): Promise<void>;
  /** What a path in an object holds. */
  read(what: string, jsonPath: string, namespace?: string): Promise<string>;
  /** Waits until kubectl's own condition holds: "jsonpath={.status.phase}=Bound", "condition=Ready", "delete". */
  until(what: string, condition: string, timeoutMs?: number): Promise<void>;
}

export function createKubectl(machine: Host, kubeconfig: string, cacheFolder: string): Kubectl {
  const common = ['--kubeconfig', kubeconfig, '--cache-dir', cacheFolder];
  const run = async (args: readonly string[], stdin?: string): Promise<string> => {
    const command = { file: 'kubectl', args: [...common, ...args], timeoutMs: TIMEOUT_MS };
    return (await machine.run(stdin === undefined ? command : { ...command, stdin })).stdout;
  };
  return {
    run: (...args) => run(args),
    apply: async (...objects) => {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      await run(['apply', '--server-side', '-f', '-'], JSON.stringify(list));
    },
    dryRun: (object) => run(['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(object)),
    applyFile: async (path) => {
      await run(['apply', '--server-side', '-f', path]);
    },
    read: (what, jsonPath, namespace = 'default') => run(['get', what, '-n', namespace, '-o', `jsonpath=${jsonPath}`]),
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

/** What a command that must fail says on standard error. @throws {Error} when it does not fail */
export async function refusalOf(command: Promise<unknown>): Promise<string> {
  try {
    await command;
  } catch (error) {
    if (isRunError(error)) return error.stderr;
    throw error;
  }
  throw new Error('the command did not fail');
}

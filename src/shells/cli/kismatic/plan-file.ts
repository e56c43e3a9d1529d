/** What every command of `kismatic volume` begins with: the plan file, and a connection to the cluster. */
import type { Command } from 'commander';
import { AppError, isAppError } from '../../../domain/errors.ts';
import type { ResourceClient } from '../../../ports/resource-client.ts';
import type { PlanFile } from '../../../schemas/plan-file.ts';
import { type CliContext, kubeconfigPath } from '../context.ts';

/** Kismatic's default. */
export const PLAN_FILE = 'kismatic-cluster.yaml';

/** Reads the file that -f names. @throws {AppError} in Kismatic's words */
export async function readPlan(context: CliContext, command: Command): Promise<PlanFile> {
  const { planFile } = command.optsWithGlobals<{ readonly planFile: string }>();
  try {
    return await context.plans.read(planFile);
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (error.kind !== 'notFound') throw wrapped('error reading plan file', error);
    throw new AppError(
      'notFound',
      `Plan file not found at ${JSON.stringify(planFile)}. If you don't have a plan file, you may generate one with 'kismatic install plan'`,
      { hint: `here: holdfast plan new -f ${planFile}` },
    );
  }
}

/** The same failure with words before it, as Kismatic wraps its own. */
export function wrapped(prefix: string, error: AppError): AppError {
  const { resource, reason, hint, faults } = error;
  return new AppError(error.kind, `${prefix}: ${error.message}`, {
    ...(resource === undefined ? {} : { resource }),
    ...(reason === undefined ? {} : { reason }),
    ...(hint === undefined ? {} : { hint }),
    faults,
    cause: error,
  });
}

/** Runs `use` with a client for the cluster that the environment names; Kismatic has no option for it. */
export async function withCluster<T>(context: CliContext, use: (client: ResourceClient) => Promise<T>): Promise<T> {
  const connection = await context.connect(kubeconfigPath(undefined, context.env));
  try {
    return await use(connection.client);
  } finally {
    connection.close();
  }
}

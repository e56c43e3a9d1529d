/** What the commands of installation are wired with, and how each of them begins and ends. */
import { dirname, join } from 'node:path';
import type { PlanFile } from '../../../schemas/plan-file.ts';
import type { InstallDeps } from '../../../usecases/install/install-deps.ts';
import type { CliContext } from '../context.ts';

/** A machine to be added to a plan. */
export interface AddedNode {
  readonly host: string;
  readonly ip: string;
  readonly internalip?: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pools?: readonly { readonly name: string; readonly path: string; readonly device?: string }[];
}

export interface ComposedInstall extends InstallDeps {
  /** The plan of a file with one machine more, and the way to write it down, comments and all. @throws {AppError} invalid */
  readonly addNode: (path: string, node: AddedNode) => Promise<{ readonly plan: PlanFile; write(): Promise<void> }>;
  /** Lets go of what was made for this one command. */
  close(): Promise<void>;
}

export type ComposeInstall = (options: {
  /** Where the administrator's kubeconfig is kept. */
  readonly assetsFolder: string;
  readonly env: CliContext['env'];
}) => Promise<ComposedInstall>;

/** Runs `use` with everything that installing needs. */
export async function withInstall<T>(
  compose: ComposeInstall,
  context: CliContext,
  assetsFolder: string,
  use: (deps: ComposedInstall) => Promise<T>,
): Promise<T> {
  const deps = await compose({ assetsFolder, env: context.env });
  try {
    return await use(deps);
  } finally {
    await deps.close();
  }
}

/** Kismatic's folder for what an installation makes, beside the plan. */
export function defaultAssets(planFile: string): string {
  return planFile === '-' ? 'generated' : join(dirname(planFile), 'generated');
}

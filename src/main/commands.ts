/** The commands that need adapters, wired. Loaded only when one of them is called; each then loads what it needs. */
import { join } from 'node:path';
import type { LoggerOptions } from '../adapters/system/logger.ts';
import type { LogChoice } from '../ports/logger.ts';
import type { CommandModule } from '../shells/cli/command-entry.ts';
import type { ManifestFiles } from '../shells/cli/commands/lint.ts';

/** Standard error, since standard output carries data. */
function toStderr(choice: LogChoice): LoggerOptions {
  return { ...choice, write: (line) => void process.stderr.write(line) };
}

/** `holdfast node` */
export async function nodeCommand(): Promise<CommandModule> {
  const { createNodeCommand } = await import('../shells/cli/commands/node-agent.ts');
  return createNodeCommand({
    runAgent: async (options, signal) => {
      const { runNode } = await import('./run-node.ts');
      await runNode({ ...options, log: toStderr(options.log) }, signal);
    },
  });
}

/** `holdfast controller` */
export async function controllerCommand(): Promise<CommandModule> {
  const { createControllerCommand } = await import('../shells/cli/commands/controller.ts');
  return createControllerCommand({
    runEmbedded: async (options, signal) => {
      const { runEmbeddedController } = await import('./run-controller.ts');
      await runEmbeddedController({ ...options, log: toStderr(options.log) }, signal);
    },
    runOnCluster: async (options, signal) => {
      const { runClusterController } = await import('./run-controller.ts');
      await runClusterController({ ...options, log: toStderr(options.log) }, signal);
    },
    issueNodeKubeconfig: async (request) => {
      const { issueNodeKubeconfig } = await import('./issue-node-kubeconfig.ts');
      return issueNodeKubeconfig(request);
    },
  });
}

/** `holdfast demo` */
export async function demoCommand(): Promise<CommandModule> {
  const { createDemoCommand } = await import('../shells/cli/commands/demo.ts');
  const { composeLab, composePackages } = await import('./compose-lab.ts');
  const { composeLedger } = await import('./compose-ledger.ts');
  const lab = composeLab();
  return createDemoCommand({
    ...lab,
    ...composeLedger(lab.clock, toStderr({ level: 'warn', format: 'text' })),
    packages: composePackages(lab.machine),
    defaultPlan: join(lab.installation.packageFolder, 'examples/plan.lab.yaml'),
  });
}

/** `holdfast lab` */
export async function labCommand(): Promise<CommandModule> {
  const { createLabCommand } = await import('../shells/cli/commands/lab.ts');
  const { composeLab, composePackages } = await import('./compose-lab.ts');
  const lab = composeLab();
  return createLabCommand({
    ...lab,
    packages: composePackages(lab.machine),
    composeRun: async () => (await import('./compose-lab-run.ts')).composeLabRun(lab.controllerFolder),
  });
}

/** `holdfast ledger` */
export async function ledgerCommand(): Promise<CommandModule> {
  const { createLedgerCommand } = await import('../shells/cli/commands/ledger.ts');
  const { createLocalHost } = await import('../adapters/host/local-host.ts');
  const { createSystemClock } = await import('../adapters/system/clock.ts');
  const { composeLedger } = await import('./compose-ledger.ts');
  const clock = createSystemClock();
  const ledger = composeLedger(clock, toStderr({ level: 'info', format: 'text' }));
  return createLedgerCommand({ ...ledger, hostFiles: createLocalHost({ clock }).files });
}

/** `holdfast doctor` */
export async function doctorCommand(): Promise<CommandModule> {
  const { createDoctorCommand } = await import('../shells/cli/commands/doctor.ts');
  // Loaded for --plan only.
  return createDoctorCommand(async (options) => (await import('./compose-install.ts')).composeInstall(options));
}

/** `holdfast plan` */
export async function planCommand(): Promise<CommandModule> {
  const { createPlanCommand } = await import('../shells/cli/commands/plan.ts');
  // Loaded for adopt only.
  return createPlanCommand(async (options) => (await import('./compose-adopt.ts')).composeAdoption(options));
}

/** `holdfast install` */
export async function installCommand(): Promise<CommandModule> {
  const { createInstallCommand } = await import('../shells/cli/commands/install.ts');
  const { composeInstall } = await import('./compose-install.ts');
  return createInstallCommand(composeInstall);
}

/** `holdfast uninstall` */
export async function uninstallCommand(): Promise<CommandModule> {
  const { createUninstallCommand } = await import('../shells/cli/commands/uninstall.ts');
  const { composeInstall } = await import('./compose-install.ts');
  return createUninstallCommand(composeInstall);
}

/** `holdfast supervise` */
export async function superviseCommand(): Promise<CommandModule> {
  const { createSuperviseCommand } = await import('../shells/cli/commands/supervise.ts');
  const { createLocalHost } = await import('../adapters/host/local-host.ts');
  const { createSystemClock } = await import('../adapters/system/clock.ts');
  const { createLogger } = await import('../adapters/system/logger.ts');
  const { runSupervisor } = await import('../usecases/supervise/run-supervisor.ts');
  const clock = createSystemClock();
  const { files, processes } = createLocalHost({ clock });
  return createSuperviseCommand({
    run: async (options, signal) => {
      const log = createLogger({ clock }, toStderr(options.log));
      await runSupervisor({ clock, files, processes, log }, options, signal);
    },
  });
}

/** `holdfast lint` */
export async function lintCommand(): Promise<CommandModule> {
  const { createLintCommand } = await import('../shells/cli/commands/lint.ts');
  return createLintCommand(manifestFiles);
}

/** `holdfast import` */
export async function importCommand(): Promise<CommandModule> {
  const { createImportCommand } = await import('../shells/cli/commands/import.ts');
  return createImportCommand(manifestFiles);
}

async function manifestFiles(signal: AbortSignal): Promise<ManifestFiles> {
  const { createManifestFiles } = await import('../adapters/input-file/manifest-files.ts');
  const { createLocalHost } = await import('../adapters/host/local-host.ts');
  const { createSystemClock } = await import('../adapters/system/clock.ts');
  const { files } = createLocalHost({ clock: createSystemClock() });
  return createManifestFiles({ stdin: process.stdin, signal, files });
}

/** `holdfast in-engine` */
export async function inEngineCommand(): Promise<CommandModule> {
  const { createInEngineCommand } = await import('../shells/cli/commands/in-engine.ts');
  return createInEngineCommand({
    enter: async ({ recordFile, args, log: choice }, signal) => {
      const { createLocalHost } = await import('../adapters/host/local-host.ts');
      const { enterEngine } = await import('../adapters/host/enter-engine.ts');
      const { createLogger } = await import('../adapters/system/logger.ts');
      const { createSystemClock } = await import('../adapters/system/clock.ts');
      const { findSupervisor } = await import('../usecases/supervise/find-supervisor.ts');
      const clock = createSystemClock();
      const log = createLogger({ clock }, toStderr(choice));
      const engine = await findSupervisor({ ...createLocalHost({ clock }), clock, log }, recordFile, signal);
      if (engine === undefined) return;
      log.info('going on beside the engine', { pid: engine.pid });
      await enterEngine({ engine, entry: process.argv[1] ?? '', args });
    },
  });
}

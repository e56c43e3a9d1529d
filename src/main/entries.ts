/** The table of commands. */
import type { CommandEntry } from '../shells/cli/command-entry.ts';
import { CLI_COMMANDS } from '../shells/cli/program.ts';

const MACHINES = 'Machines';
const ROLES = 'Roles';
const LAB = 'Lab and proof';
const MANIFESTS = 'Manifests';

/** Every top-level command: the CLI's own, and those that need adapters, which are wired only when they are called. */
export const COMMANDS: readonly CommandEntry[] = [
  // `node` here also runs the agent, which needs a host and an engine; `doctor` and `plan` also look at machines over ssh.
  ...CLI_COMMANDS.filter((entry) => !['node', 'doctor', 'plan'].includes(entry.name)),
  {
    name: 'plan',
    summary: 'Check and apply plan files',
    load: async () => (await import('./commands.ts')).planCommand(),
  },
  {
    name: 'doctor',
    summary: 'Check everything, and fix what can be fixed without risk',
    load: async () => (await import('./commands.ts')).doctorCommand(),
  },
  {
    name: 'node',
    summary: 'List and show nodes; with --name, run the agent of this machine',
    load: async () => (await import('./commands.ts')).nodeCommand(),
  },
  {
    name: 'lint',
    summary: 'Check manifests of Kubernetes, and correct them',
    group: MANIFESTS,
    load: async () => (await import('./commands.ts')).lintCommand(),
  },
  {
    name: 'import',
    summary: 'Rewrite classes and claims of other storage systems for Holdfast',
    group: MANIFESTS,
    load: async () => (await import('./commands.ts')).importCommand(),
  },
  {
    name: 'install',
    summary: 'Install a plan on its machines over ssh, from packages to mounted volumes',
    group: MACHINES,
    load: async () => (await import('./commands.ts')).installCommand(),
  },
  {
    name: 'uninstall',
    summary: 'Take Holdfast off the machines of a plan; --plan lists what would be lost',
    group: MACHINES,
    load: async () => (await import('./commands.ts')).uninstallCommand(),
  },
  {
    name: 'supervise',
    summary: 'Keep the services of a machine without systemd running',
    group: ROLES,
    load: async () => (await import('./commands.ts')).superviseCommand(),
  },
  {
    name: 'in-engine',
    summary: 'Run a role beside the engine that another pod of this machine keeps',
    group: ROLES,
    load: async () => (await import('./commands.ts')).inEngineCommand(),
  },
  {
    name: 'controller',
    summary: 'Run the controller; with --embedded also the API server',
    group: ROLES,
    load: async () => (await import('./commands.ts')).controllerCommand(),
  },
  {
    name: 'demo',
    summary: 'Three hosts, a replicated volume, hosts lost under load, and proof',
    group: LAB,
    load: async () => (await import('./commands.ts')).demoCommand(),
  },
  {
    name: 'lab',
    summary: 'Hosts on this machine, with power switches and network cables',
    group: LAB,
    load: async () => (await import('./commands.ts')).labCommand(),
  },
  {
    name: 'ledger',
    summary: 'Prove that a storage keeps what it said is safe',
    group: LAB,
    load: async () => (await import('./commands.ts')).ledgerCommand(),
  },
];

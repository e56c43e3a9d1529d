/** `holdfast lab up|down|status|exec|run|power|unplug|plug|reinstall`: hosts on this machine. */
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { AppError } from '../../../domain/errors.ts';
import { GLUSTER_PROGRAMS, LAB_PROGRAMS } from '../../../domain/needed-programs.ts';
import type { Packages } from '../../../ports/packages.ts';
import { type BringUpDeps, bringUpHoldfast, enrollAgain } from '../../../usecases/lab/bring-up-holdfast.ts';
import { installMissing } from '../../../usecases/lab/install-missing.ts';
import type { Lab, LabHostStatus, LabStatus } from '../../../usecases/lab/labs.ts';
import type { CommandModule } from '../command-entry.ts';
import type { CliContext } from '../context.ts';
import { CommandExit } from '../exit-codes.ts';
import { globalOptions } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';
import type { Column } from '../table.ts';
import { chooseName, openLab } from './lab-choice.ts';
import { type LabRunDeps, registerRun } from './lab-run.ts';

export interface LabCommandDeps extends BringUpDeps {
  readonly packages: Packages;
  /** Loaded when it is wanted: only one verb speaks CSI. */
  readonly composeRun: () => Promise<LabRunDeps>;
}

interface NameOption {
  readonly name?: string;
}

interface UpOptions extends NameOption {
  readonly hosts: number | readonly string[];
  readonly bare?: boolean;
  readonly csi?: boolean;
}

const DEFAULT_NAME = 'lab';

/** Creates the command's module, for `src/main`. */
export function createLabCommand(deps: LabCommandDeps): CommandModule {
  return {
    register: (command, context) => {
      registerUp(deps, command.command('up'), context);
      registerDown(deps, command.command('down'), context);
      registerStatus(deps, command.command('status'), context);
      registerExec(deps, command.command('exec'));
      registerRun(deps, command.command('run'), context);
      registerReinstall(deps, command.command('reinstall'), context);
      const power = command.command('power').description('Switch hosts on and off');
      const verb = (parent: Command, name: string, about: string, act: (lab: Lab, host: string) => Promise<void>) =>
        registerVerb(deps, context, { command: parent.command(name), about, act });
      verb(power, 'on', 'Switch a host on', (lab, host) => lab.powerOn(host));
      verb(power, 'off', 'End a host at once; what it wrote is on its disks', (lab, host) => lab.powerOff(host));
      verb(power, 'cut', 'End a host at once; what it had not synced is lost', (lab, host) => lab.powerCut(host));
      verb(command, 'unplug', "Pull a host's network cable", (lab, host) => lab.unplug(host));
      verb(command, 'plug', "Put a host's network cable back", (lab, host) => lab.plug(host));
    },
  };
}

function registerUp(deps: LabCommandDeps, command: Command, context: CliContext): void {
  command
    .description('Make hosts on this machine, with Holdfast running in them')
    .option('--name <lab>', 'name of the lab', DEFAULT_NAME)
    .option('--hosts <hosts>', 'number of hosts, or their names separated by commas', parseHosts, 3)
    .option('--csi', 'serve CSI too: on a socket in each host and on one of this machine')
    .option('--bare', 'only the hosts, without GlusterFS, agents and controller')
    .action(async (options: UpOptions & { readonly name: string }, own: Command) => {
      const { signal } = context;
      const tell = (line: string) => say(context, line);
      const needed = options.bare === true ? LAB_PROGRAMS : [...LAB_PROGRAMS, ...GLUSTER_PROGRAMS];
      await installMissing(deps, needed, { say: tell, signal });
      const wanted = { name: options.name, hosts: options.hosts, isKept: true };
      const hasCsi = options.csi === true;
      const made =
        options.bare === true
          ? { lab: await deps.labs.up({ ...wanted, installation: deps.installation }, signal) }
          : await bringUpHoldfast(deps, { ...wanted, hasCsi }, signal, tell);
      const status = await made.lab.status();
      await printLabs(context, own, [status], 'kubeconfig' in made ? { kubeconfig: made.kubeconfig } : {});
      if ('kubeconfig' in made) tell(`use it with: export HOLDFAST_KUBECONFIG=${made.kubeconfig}`);
    });
}

function parseHosts(text: string): number | readonly string[] {
  if (/^\d+$/.test(text)) return Number(text);
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('write 3, or kube1,kube2,kube3');
  return names;
}

function registerDown(deps: LabCommandDeps, command: Command, context: CliContext): void {
  command
    .description('Remove a lab with everything in it')
    .option('--name <lab>', 'name of the lab; may be left out when there is only one')
    .action(async ({ name }: NameOption) => {
      const chosen = await chooseName(deps, name);
      await deps.labs.down(chosen);
      say(context, `lab ${chosen} is gone`);
    });
}

function registerStatus(deps: LabCommandDeps, command: Command, context: CliContext): void {
  command
    .description('Show the labs of this machine and their hosts')
    .option('--name <lab>', 'only this lab')
    .action(async ({ name }: NameOption, own: Command) => {
      const labs = name === undefined ? await deps.labs.list() : [await (await deps.labs.open(name)).status()];
      await printLabs(context, own, labs);
    });
}

function registerExec(deps: LabCommandDeps, command: Command): void {
  command
    .description('Run a command in a host, on this terminal; ends with its exit code')
    .option('--name <lab>', 'name of the lab; may be left out when there is only one')
    .argument('<host>', 'name of the host')
    .argument('<command...>', 'the command and its arguments; put -- before it when it has options')
    .usage('[options] <host> -- <command...>')
    .action(async (host: string, [file = '', ...args]: string[], { name }: NameOption) => {
      const lab = await openLab(deps, name);
      const code = await lab.host(host).runAttached({ file, args });
      if (code !== 0) throw new CommandExit(code);
    });
}

function registerReinstall(deps: LabCommandDeps, command: Command, context: CliContext): void {
  command
    .description('Throw both disks of a host away and start it as a new machine')
    .option('--name <lab>', 'name of the lab; may be left out when there is only one')
    .argument('<host>', 'name of the host')
    .action(async (host: string, { name }: NameOption, own: Command) => {
      const lab = await openLab(deps, name);
      lab.addressOf(host);
      const question = `Reinstall ${host} of lab ${lab.name}? Everything on its two disks is lost.`;
      if (globalOptions(own).yes !== true && !(await askYesNo(context, question))) {
        throw new AppError('cancelled', `${host} was not reinstalled`, { hint: 'answer yes, or use --yes' });
      }
      await lab.reinstall(host);
      await enrollAgain(deps, lab, host);
      await printLabs(context, own, [await lab.status()]);
    });
}

interface Verb {
  readonly command: Command;
  readonly about: string;
  readonly act: (lab: Lab, host: string) => Promise<void>;
}

function registerVerb(deps: LabCommandDeps, context: CliContext, { command, about, act }: Verb): void {
  command
    .description(about)
    .option('--name <lab>', 'name of the lab; may be left out when there is only one')
    .addArgument(new Argument('<host>', 'name of the host'))
    .action(async (host: string, { name }: NameOption, own: Command) => {
      const lab = await openLab(deps, name);
      await act(lab, host);
      await printLabs(context, own, [await lab.status()]);
    });
}

interface Row {
  readonly lab: LabStatus;
  readonly host: LabHostStatus;
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'lab', value: ({ lab }) => (lab.state === 'running' ? lab.name : `${lab.name} (${lab.state})`) },
  { name: 'host', value: ({ host }) => host.name },
  { name: 'zone', value: ({ host }) => host.zone },
  { name: 'address', value: ({ host }) => host.address },
  { name: 'power', value: ({ host }) => (host.isOn ? 'on' : 'off') },
  { name: 'cable', value: ({ host }) => (host.isPlugged ? 'plugged' : 'unplugged') },
  { name: 'processes', value: ({ host }) => describeDaemons(host) },
  { name: 'boot', value: ({ host }) => host.bootId, isWide: true },
  { name: 'gateway', value: ({ lab }) => lab.gateway, isWide: true },
];

function describeDaemons({ daemons }: LabHostStatus): string {
  return Object.entries(daemons)
    .map(([name, isRunning]) => (isRunning ? name : `${name} (ended)`))
    .join(', ');
}

async function printLabs(
  context: CliContext,
  own: Command,
  labs: readonly LabStatus[],
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await printResult<Row>(context, globalOptions(own), {
    data: { items: labs.map((lab) => ({ ...lab, ...more })) },
    names: labs.map((lab) => `lab/${lab.name}`),
    table: {
      columns: COLUMNS,
      items: labs.flatMap((lab) => lab.hosts.map((host) => ({ lab, host }))),
      empty: 'No lab on this machine: make one with "holdfast lab up".',
    },
  });
}

/** Options that every command takes, wherever they stand on the line. */
import { type Command, Option } from 'commander';
import { parseDuration } from '../../domain/duration.ts';
import { AppError } from '../../domain/errors.ts';
import { ADMIN_KUBECONFIG, type CliContext, type Connection, kubeconfigPath, kubectlKubeconfigs } from './context.ts';

export interface GlobalOptions {
  readonly kubeconfig?: string;
  /** Of the kubeconfig; its current one when left out. */
  readonly context?: string;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'name' | 'kismatic-json' | 'simple' | 'raw';
  /** False with --no-headers. */
  readonly headers: boolean;
  readonly yes?: boolean;
  /** How long commands wait for something to become true, in milliseconds. */
  readonly timeout: number;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** Adds the global options to the program. */
export function addGlobalOptions(program: Command, isKubectlPlugin: boolean): void {
  const files = isKubectlPlugin
    ? '$KUBECONFIG, ~/.kube/config'
    : `$HOLDFAST_KUBECONFIG, $KUBECONFIG, ${ADMIN_KUBECONFIG}`;
  program
    .option('--kubeconfig <file>', `kubeconfig of the API server (default: ${files})`)
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .addOption(
      new Option('-o, --output <form>', 'form of the output')
        .choices(['table', 'wide', 'json', 'yaml', 'name', 'kismatic-json', 'simple', 'raw'])
        .default('table'),
    )
    .option('--no-headers', 'leave the headings of tables out')
    .option('-y, --yes', 'answer every question with yes')
    .addOption(
      new Option('--timeout <time>', 'how long to wait, for example 90s or 5m')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, '120s'),
    )
    .hook('preAction', (_program, command) => refuseForm(command));
}

/** Forms of Kismatic's, which only the commands have that are Kismatic's too. */
const KISMATIC_FORMS: Readonly<Record<string, readonly string[]>> = {
  'kismatic-json': ['list'],
  simple: ['add', 'delete'],
  raw: ['add', 'delete'],
};

/** Refused before the command does anything. */
function refuseForm(command: Command): void {
  const { output } = globalOptions(command);
  const verbs = KISMATIC_FORMS[output];
  if (verbs === undefined || (command.parent?.name() === 'volume' && verbs.includes(command.name()))) return;
  throw new AppError('invalid', `-o ${output} is a form of: holdfast volume ${verbs.join(', holdfast volume ')}`, {
    hint: 'choose table, wide, json, yaml or name',
  });
}

/** The global options as a command's action sees them. */
export function globalOptions(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** Runs `use` with a connection, and lets go of it whatever happens. */
export async function withConnection<T>(
  context: CliContext,
  command: Command,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { kubeconfig, context: name } = globalOptions(command);
  const choose = context.isKubectlPlugin === true ? kubectlKubeconfigs : kubeconfigPath;
  const connection = await context.connect(choose(kubeconfig, context.env), name);
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

/** `holdfast cluster tls enable|disable|status` */
import type { Command } from 'commander';
import { isLeftBehind } from '../../../domain/cluster/decide-tls.ts';
import { AppError, isAppError } from '../../../domain/errors.ts';
import { CLUSTER_NAME } from '../../../domain/plan/diff-plan.ts';
import type { Resource } from '../../../ports/resource-client.ts';
import {
  faultyPorts,
  proveTls,
  proveTlsSettled,
  type SeenPort,
  type TlsProof,
} from '../../../usecases/cluster/prove-tls.ts';
import { foreseeTls, switchTls, type TlsForesight } from '../../../usecases/cluster/switch-tls.ts';
import type { CliContext, Connection } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult, say } from '../output.ts';
import { askYesNo } from '../prompt.ts';
import { type Column, renderTable } from '../table.ts';

interface Flags {
  readonly dryRun?: boolean;
  /** False with --no-wait. */
  readonly wait: boolean;
}

const PORTS: readonly Column<SeenPort>[] = [
  { name: 'from', value: (port) => port.from },
  { name: 'to', value: (port) => port.node },
  { name: 'port', value: (port) => String(port.port) },
  { name: 'serves', value: (port) => port.serves },
  {
    name: 'with certificate',
    value: (port) => port.encrypted ?? `refused${port.why === undefined ? '' : ` (${port.why})`}`,
  },
  { name: 'plain', value: (port) => (port.answersPlain ? 'answered' : 'refused') },
];

/** Registers the commands below `cluster tls`. */
export function registerClusterTls(command: Command, context: CliContext): void {
  registerSwitch(command, context, true);
  registerSwitch(command, context, false);
  command
    .command('status')
    .description('Tell what the daemon of each node speaks; with --check, talk to every port as proof')
    .option('--check', 'let every node talk to all others, with its certificate and without')
    .action((flags: { readonly check?: boolean }, own: Command) => showStatus(context, own, flags.check === true));
}

function registerSwitch(command: Command, context: CliContext, isEnabled: boolean): void {
  const [verb, what] = isEnabled
    ? ['enable', 'Encrypt storage traffic']
    : ['disable', 'Send storage traffic plainly again'];
  command
    .command(verb)
    .description(`${what}; every volume is interrupted for a moment`)
    .option('--dry-run', 'list what would be interrupted, and change nothing')
    .option('--no-wait', 'do not wait until it is done')
    .action((flags: Flags, own: Command) => change(context, own, { ...flags, isEnabled }));
}

async function change(
  context: CliContext,
  own: Command,
  flags: Flags & { readonly isEnabled: boolean },
): Promise<void> {
  const options = globalOptions(own);
  const { isEnabled } = flags;
  await withConnection(context, own, async (connection) => {
    const { client } = connection;
    const deps = { client, clock: context.clock };
    const { signal } = context;
    const foresight = await foreseeTls(deps, isEnabled, { signal });
    if (flags.dryRun === true) {
      await printResult(context, options, {
        data: { ...foresight, isDryRun: true },
        names: [`storagecluster/${CLUSTER_NAME}`],
        text: () => describeForesight(foresight),
      });
      return;
    }
    if (!foresight.isDone) await confirm(context, foresight, options.yes === true);
    await switchTls(deps, isEnabled, {
      signal,
      ...(flags.wait ? { waitMs: options.timeout } : {}),
      onProgress: (message) => say(context, message),
    }).catch((error: unknown) => {
      if (isAppError(error, 'cancelled'))
        say(context, 'the change goes on by itself; see: holdfast cluster tls status');
      throw error;
    });
    const proof = flags.wait ? await prove(context, own, connection, isEnabled) : undefined;
    const state = flags.wait ? `is ${isEnabled ? 'encrypted' : 'plain'}` : 'is being changed';
    await printResult(context, options, {
      data: { isEnabled, ...(proof === undefined ? {} : { proof }) },
      names: [`storagecluster/${CLUSTER_NAME}`],
      text: () => `storage traffic ${state}\n${proof === undefined ? '' : describeProof(proof, options.headers)}`,
    });
  });
}

async function confirm(context: CliContext, foresight: TlsForesight, isYes: boolean): Promise<void> {
  say(context, describeForesight(foresight).trimEnd());
  if (isYes || (foresight.mounts.length === 0 && foresight.volumes.length === 0)) return;
  if (await askYesNo(context, 'Interrupt them?')) return;
  throw new AppError('cancelled', 'nothing was changed', { hint: 'answer yes, or use --yes' });
}

async function prove(
  context: CliContext,
  own: Command,
  { client }: Connection,
  isEncrypted: boolean,
): Promise<TlsProof> {
  const { clock, random, signal } = context;
  const waitMs = globalOptions(own).timeout;
  const proof = await proveTlsSettled({ client, clock, random }, { isEncrypted, waitMs, signal });
  for (const blind of proof.blind) say(context, `not looked at: ${blind}`);
  const faulty = faultyPorts(proof, isEncrypted);
  if (faulty.length === 0) return proof;
  const list = faulty.map(
    ({ from, node, port, why }) => `${from} to ${node}:${port}${why === undefined ? '' : ` (${why})`}`,
  );
  throw new AppError('unavailable', `not as they should be: ${list.join('; ')}`, {
    resource: 'cluster',
    reason: isEncrypted ? 'NotEncrypted' : 'NotPlain',
    hint: 'look again with: holdfast cluster tls status --check',
  });
}

function describeForesight({ isEnabled, isDone, mounts, volumes, nodes, away }: TlsForesight): string {
  const state = isEnabled ? 'encrypted' : 'plain';
  if (isDone) return `storage traffic is ${state} already\n`;
  const lines = [
    ...mounts.map((mount) => `unmounted and mounted again: ${mount}; whoever has files open there holds it up`),
    ...(volumes.length === 0 ? [] : [`stopped and started again: ${volumes.join(', ')}`]),
    ...(nodes.length === 0 ? [] : [`restarted: GlusterFS on ${nodes.join(', ')}`]),
    ...(away.length === 0 ? [] : [`away: ${away.join(', ')}; they follow when they return`]),
    ...(isEnabled
      ? ['machines that are no nodes of this cluster cannot mount any more: they have no certificate']
      : []),
  ];
  return `storage traffic becomes ${state}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function describeProof({ ports }: TlsProof, hasHeaders: boolean): string {
  return ports.length === 0 ? '' : `\n${renderTable(PORTS, ports, { isWide: false, hasHeaders })}`;
}

async function showStatus(context: CliContext, own: Command, isChecking: boolean): Promise<void> {
  const options = globalOptions(own);
  const { signal, clock, random } = context;
  const seen = await withConnection(context, own, async ({ client }) => {
    const [cluster, nodes] = await Promise.all([
      client.get('StorageCluster', CLUSTER_NAME, { signal }),
      client.list('StorageNode', { signal }),
    ]);
    const proof = isChecking
      ? await proveTls({ client, clock, random }, { waitMs: options.timeout, signal })
      : undefined;
    return { cluster, nodes: nodes.items, proof };
  });
  const { cluster, nodes, proof } = seen;
  const tls = cluster?.status?.tls ?? { phase: 'Off' as const, isEncrypted: false };
  const items = nodes.filter(({ metadata }) => cluster?.spec.nodes.includes(metadata.name) === true);
  const columns: readonly Column<Resource<'StorageNode'>>[] = [
    { name: 'node', value: ({ metadata }) => metadata.name },
    {
      name: 'speaks',
      value: ({ status }) => status?.tls?.mode ?? (cluster?.status?.tls === undefined ? 'plain' : 'unknown'),
    },
    { name: 'certificate until', value: ({ status }) => status?.tls?.notAfter },
    {
      name: 'message',
      value: (node) =>
        node.status?.tls?.message ?? (isLeftBehind(cluster?.status?.tls, node) ? 'left behind' : undefined),
    },
  ];
  const table = renderTable(columns, items, { isWide: false, hasHeaders: options.headers });
  const head = `${tls.phase}${tls.message === undefined ? '' : `: ${tls.message}`}\n`;
  await printResult(context, options, {
    data: {
      isEnabled: cluster?.spec.tls?.isEnabled === true,
      ...tls,
      nodes: items.map(({ metadata, status }) => ({ node: metadata.name, ...status?.tls, request: undefined })),
      ...(proof === undefined ? {} : { proof }),
    },
    names: [`storagecluster/${CLUSTER_NAME}`],
    text: () => `${head}\n${table}${proof === undefined ? '' : describeProof(proof, options.headers)}`,
  });
}

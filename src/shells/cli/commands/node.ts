/** `holdfast node list|show|...` */

import type { Command } from 'commander';
import { describeBytes } from '../../../domain/bytes.ts';
import { fenceWord } from '../../../domain/fence/fence-word.ts';
import { findCondition } from '../../../domain/find-condition.ts';
import { describePath } from '../../../domain/nfs-export/names.ts';
import { isStranger } from '../../../domain/node/is-usable.ts';
import type { FencedVolume } from '../../../schemas/fence-record.ts';
import type { PoolStatus } from '../../../schemas/storage-node.ts';
import { type ListedNode, listNodes, type ShownNode, showNode } from '../../../usecases/nodes/read-nodes.ts';
import { ageOf } from '../age.ts';
import type { CliContext } from '../context.ts';
import { globalOptions, withConnection } from '../global-options.ts';
import { printResult } from '../output.ts';
import { type Column, renderPairs, renderTable } from '../table.ts';
import { registerNodeFence, registerNodeUnfence } from './node-fence.ts';
import { registerNodeDrain, registerNodeReplace, registerNodeUndrain } from './node-move.ts';
import { registerNodeRejoin } from './node-rejoin.ts';

/** Registers the command. */
export function register(command: Command, context: CliContext): void {
  registerNodeDrain(command.command('drain'), context);
  registerNodeUndrain(command.command('undrain'), context);
  registerNodeReplace(command.command('replace'), context);
  command
    .command('list')
    .description('List the nodes, their zones and the room in their pools')
    .action(async (_options, own: Command) => {
      const nodes = await withConnection(context, own, ({ client }) => listNodes({ client, signal: context.signal }));
      await printResult(context, globalOptions(own), {
        data: { items: nodes.map(({ node }) => node) },
        names: nodes.map(({ node }) => `storagenode/${node.metadata.name}`),
        table: { columns: columnsOf(context), items: nodes, empty: 'No nodes yet: apply a plan, or start agents.' },
      });
    });
  command
    .command('show')
    .description('Show one node with its pools, copies and mounts')
    .argument('<name>', 'name of the node')
    .action(async (name: string, _options, own: Command) => {
      const shown = await withConnection(context, own, ({ client }) =>
        showNode({ client, signal: context.signal }, name),
      );
      await printResult(context, globalOptions(own), {
        data: shown,
        names: [`storagenode/${shown.node.metadata.name}`],
        text: () => describeNode(shown, globalOptions(own).headers),
      });
    });
  registerNodeRejoin(command.command('rejoin'), context);
  registerNodeFence(command.command('fence'), context);
  registerNodeUnfence(command.command('unfence'), context);
}

function columnsOf({ clock }: CliContext): readonly Column<ListedNode>[] {
  return [
    { name: 'name', value: ({ node }) => node.metadata.name },
    { name: 'ready', value: readiness },
    { name: 'zone', value: ({ node }) => node.spec.zone },
    { name: 'ip', value: ({ node }) => node.spec.addresses.ip },
    { name: 'copies', value: ({ copies }) => copies.length },
    { name: 'free', value: ({ node }) => describeFree(node.status?.pools ?? []) },
    { name: 'engine', value: ({ node }) => describeEngines(node), isWide: true },
    { name: 'boot', value: ({ node }) => node.status?.bootId, isWide: true },
    { name: 'age', value: ({ node }) => ageOf(node, clock) },
  ];
}

function readiness({ node, fence }: ListedNode): string {
  const ready = findCondition(node, 'Ready');
  const word = ready?.status === 'True' ? 'yes' : `no (${ready?.reason ?? 'NeverSeen'})`;
  if (fence !== undefined) return `${word}, ${fenceWord(fence)}`;
  if (node.spec.isDraining === true) return `${word}, draining`;
  return node.spec.isCordoned === true ? `${word}, cordoned` : word;
}

function describeFree(pools: readonly PoolStatus[]): string {
  const free = pools.reduce((sum, pool) => sum + pool.freeBytes, 0);
  const capacity = pools.reduce((sum, pool) => sum + pool.capacityBytes, 0);
  return pools.length === 0 ? '' : `${describeBytes(free)} of ${describeBytes(capacity)}`;
}

function describeEngines(node: ListedNode['node']): string {
  const engines = node.status?.engines ?? [];
  return engines
    .map(({ name, version, isRunning }) => [name, version, isRunning ? undefined : '(stopped)'])
    .map((words) => words.filter((word) => word !== undefined).join(' '))
    .join(', ');
}

/** What it can do and not every node. */
function describeAbilities({ status }: ListedNode['node']): string | undefined {
  const abilities = new Set((status?.engines ?? []).flatMap((engine) => engine.abilities ?? []));
  return abilities.size === 0 ? undefined : [...abilities].toSorted().join(', ');
}

/** Why an engine is not usable, or what to change about it. */
function engineMessages({ status }: ListedNode['node']): string | undefined {
  const messages = (status?.engines ?? []).flatMap(({ message }) => (message === undefined ? [] : [message]));
  return messages.length === 0 ? undefined : messages.join('; ');
}

/** What brings a node back that is not in its place; undefined while it is. */
function nextForNode(node: ListedNode['node']): string | undefined {
  const name = node.metadata.name;
  if (isHeard(node)) {
    return isStranger(node) ? `holdfast node rejoin ${name}` : undefined;
  }
  return `start the machine; if it is up, see on it that "holdfast node --name ${name}" runs and reaches the API. Without it: holdfast simulate lose-node ${name}`;
}

function isHeard(node: ListedNode['node']): boolean {
  return ['True', 'False'].includes(findCondition(node, 'Ready')?.status ?? '');
}

interface FencedRow extends FencedVolume {
  readonly volume: string;
}

function fencedRows(fence: ListedNode['fence']): readonly FencedRow[] {
  const rows = Object.entries(fence?.status?.volumes ?? {}).map(([volume, fenced]) => ({ volume, ...fenced }));
  return rows.toSorted((a, b) => (a.volume < b.volume ? -1 : 1));
}

function renderFenced(fence: ListedNode['fence'], options: Parameters<typeof renderTable>[2]): string {
  return renderTable<FencedRow>(
    [
      { name: 'fenced', value: ({ volume }) => volume },
      { name: 'state', value: ({ state }) => state },
      { name: 'message', value: ({ message }) => message },
    ],
    fencedRows(fence),
    options,
  );
}

function describeFence(fence: NonNullable<ListedNode['fence']>): string {
  const { spec, status } = fence;
  const why = spec.reason === undefined ? '' : ` (${spec.reason})`;
  const what = status?.message ?? 'no controller has looked at it yet';
  return `${fenceWord(fence)} since ${status?.heldSince ?? fence.metadata.creationTimestamp}${why}: ${what}`;
}

/** The state that a node reported, marked as such once the node is not heard any more. */
function stateWord(state: string | undefined, isOld: boolean): string | undefined {
  return state === undefined || !isOld ? state : `${state} (before)`;
}

function describeNode(shown: ShownNode, hasHeaders: boolean): string {
  const { node, copies, attachments } = shown;
  const ready = findCondition(node, 'Ready');
  const isOld = !isHeard(node);
  const pools =
    node.status?.pools ?? node.spec.pools.map((pool) => ({ ...pool, isReady: false, capacityBytes: 0, freeBytes: 0 }));
  const options = { isWide: false, hasHeaders };
  const sections = [
    renderPairs([
      ['Name', node.metadata.name],
      ['Ready', `${readiness(shown)}${ready === undefined ? '' : `: ${ready.message}`}`],
      ['Address', [node.spec.addresses.ip, node.spec.addresses.internalIp].filter(Boolean).join(', ')],
      ['Zone', node.spec.zone],
      ['Engines', describeEngines(node)],
      ['Abilities', describeAbilities(node)],
      ['Note', engineMessages(node)],
      ['Boot', node.status?.bootId],
      ['Agent', node.status?.agentVersion],
      ['Fence', shown.fence && describeFence(shown.fence)],
      ['Next', nextForNode(node)],
    ]),
    renderFenced(shown.fence, options),
    renderTable<PoolStatus>(
      [
        { name: 'pool', value: (pool) => pool.name },
        { name: 'path', value: (pool) => pool.path },
        {
          name: 'ready',
          value: (pool) =>
            stateWord(pool.isReady ? 'yes' : `no${pool.message === undefined ? '' : ` (${pool.message})`}`, isOld),
        },
        { name: 'free', value: (pool) => describeFree([pool]) },
      ],
      pools,
      options,
    ),
    renderTable(
      [
        { name: 'copy', value: (copy: (typeof copies)[number]) => copy.metadata.name },
        { name: 'volume', value: (copy) => copy.spec.volume },
        { name: 'role', value: (copy) => copy.spec.role },
        { name: 'state', value: (copy) => stateWord(copy.status?.state, isOld) },
        { name: 'message', value: (copy) => copy.status?.message },
      ],
      copies,
      options,
    ),
    renderTable(
      [
        { name: 'mounted', value: (record: (typeof attachments)[number]) => record.spec.volume },
        { name: 'at', value: (record) => describePath(record.spec) },
        { name: 'state', value: (record) => stateWord(record.status?.state, isOld) },
        { name: 'message', value: (record) => record.status?.message },
      ],
      attachments,
      options,
    ),
  ];
  const lists = [true, fencedRows(shown.fence).length > 0, pools.length > 0, copies.length > 0, attachments.length > 0];
  return sections.filter((_, at) => lists[at]).join('\n');
}

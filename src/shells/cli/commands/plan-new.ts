/** `holdfast plan new -f FILE`: a plan to fill in, with a word on each field. */
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { globalOptions } from '../global-options.ts';
import { printResult } from '../output.ts';
import { DEFAULT_FILE, type FileOption } from './plan-file-option.ts';
import { writeNewFile } from './write-new-file.ts';

/** Valid as it is; the addresses belong to nobody (RFC 5737). */
const NEW_PLAN = `# A plan for Holdfast: the machines that store, and the volumes on them.
# Check it with: holdfast plan validate -f FILE
# See what it would change with: holdfast plan diff -f FILE; then: holdfast plan apply -f FILE

storage:
  # How many nodes are listed below; a forgotten one is noticed this way.
  expected_count: 3
  nodes:
    - host: storage1 # host name; the node is called by its first part
      ip: 192.0.2.1 # replace by its address
      # internalip: 198.51.100.1  # where the storage nodes have a network of their own
      zone: a # machines that fail together: a rack, a room; copies are spread over zones first
      # labels: { disk: ssd }
      pools:
        - name: default # volumes go to the pool default unless they name another
          path: /mnt/holdfast # where the copies live
          # device: /dev/vdb  # formatted with XFS and mounted there, only if it is proven empty
    - host: storage2
      ip: 192.0.2.2
      zone: b
      pools:
        - name: default
          path: /mnt/holdfast
    - host: storage3
      ip: 192.0.2.3
      zone: c
      pools:
        - name: default
          path: /mnt/holdfast

volumes:
  - name: storage01
    size: 10Gi # with its unit
    layout: arbiter # two copies and a third node that decides; or: single, replicated, distributed,
    # distributed-replicated, dispersed, distributed-dispersed
    # replicas: 3  # copies that hold data, for layout replicated and distributed-replicated
    # distribution: 2  # sets of copies that files are spread over, for the distributed layouts
    # disperseData: 4  # for the dispersed layouts: fragments that hold data, and
    # redundancy: 2  # fragments that may be lost
    # shard: 64Mi  # cuts large files into pieces that are spread over the sets
    # allow: ['10.10.*.*']  # clients that may mount, besides the nodes; everybody when left out
    # mount: { path: /data, nodes: all }  # mounts it on the nodes themselves
`;

/** Registers the command. */
export function registerPlanNew(command: Command, context: CliContext): void {
  command
    .description('Write a plan to fill in; never over a file that is there')
    .option('-f, --file <file>', 'file to write, or - for standard output', DEFAULT_FILE)
    .action(async ({ file }: FileOption, own: Command) => {
      if (file === '-') {
        context.stdout.write(NEW_PLAN);
        return;
      }
      await writeNewFile(file, NEW_PLAN);
      await printResult(context, globalOptions(own), {
        data: { file },
        names: [file],
        text: () => `${file} is written: fill it in, then: holdfast plan validate -f ${file}\n`,
      });
    });
}

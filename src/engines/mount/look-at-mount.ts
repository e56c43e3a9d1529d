/** Whether a mount answers. */
import { messageOf } from '../../domain/errors.ts';
import type { Host } from '../../ports/host.ts';
import { isRunError } from '../../ports/run-error.ts';

export interface MountSilence {
  readonly message: string;
  /** It answered with an error, and is not merely slow. */
  readonly isFailed: boolean;
}

/**
 * What is asked for. Usage of what is behind a network: the kernel never answers that by itself, but may well tell the inode
 * of a folder, also when the server is gone (fs/nfs/inode.c, nfs_getattr).
 */
const QUESTIONS = { inode: ['--format=%i'], usage: ['--file-system', '--format=%b'] } as const;

/**
 * Asks a mount, in a program of its own: asking one that is silent blocks whoever asks.
 *
 * @returns undefined when it answers in time
 */
export async function lookAtMount(
  host: Host,
  question: keyof typeof QUESTIONS,
  {
    mountPath,
    timeoutMs,
    signal,
  }: { readonly mountPath: string; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<MountSilence | undefined> {
  try {
    await host.run({ file: 'stat', args: [...QUESTIONS[question], '--', mountPath], timeoutMs, signal });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return { message: messageOf(error), isFailed: isRunError(error, 'exit') };
  }
}

/** Asks a person a yes-or-no question on the terminal. */
import { AppError } from '../../domain/errors.ts';
import type { CliContext, InputStream } from './context.ts';

/**
 * Asks on stderr and reads one line; anything but yes is no, and so is the end of the input.
 *
 * @throws {AppError} cancelled, on Ctrl-C
 */
export async function askYesNo(
  context: Pick<CliContext, 'stdin' | 'stderr' | 'signal'>,
  question: string,
): Promise<boolean> {
  context.stderr.write(`${question} [y/N]: `);
  const line = await readLine(context.stdin, context.signal);
  if (context.stdin.isTTY !== true) context.stderr.write('\n');
  return /^\s*(?:y|yes)\s*$/i.test(line);
}

/** An answer is short; whatever pours in beyond this is none. */
const MAX_LINE = 1_000;

/** One line of the input, without its end; empty at the end of the input. @throws {AppError} cancelled, on Ctrl-C */
export async function readLine(stdin: InputStream, signal: AbortSignal): Promise<string> {
  const input = stdin[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(new AppError('cancelled', 'interrupted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  let text = '';
  try {
    while (!text.includes('\n') && text.length < MAX_LINE) {
      const chunk = await Promise.race([input.next(), stopped]);
      if (chunk.done === true) break;
      text += typeof chunk.value === 'string' ? chunk.value : decoder.decode(chunk.value, { stream: true });
    }
  } finally {
    // No command asks twice, and a terminal that is still being read would keep the process from ending.
    stdin.destroy?.();
  }
  return text.split('\n', 1)[0] ?? '';
}

/** Changes a small file of a machine behind ssh only as it was seen. */
import type { Command, CommandResult } from '../../ports/host.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';

const TIMEOUT_MS = 30_000;
const OTHER = 43;
const SHELL = '/bin/sh';
/** A program in sh that gets all text as arguments or on standard input. flock(1): the look and the write are one. */
const SWAP = `mkdir -p -- "$(dirname -- "$1")" || exit 1
exec 9> "$1.guard" && flock 9 || exit 1
if [ -s "$1" ]; then now=$(cat -- "$1"); else now=; fi
if [ "$now" != "$2" ]; then printf %s "$now"; exit ${OTHER}; fi
if [ "$3" = remove ]; then rm -f -- "$1"; else cat > "$1"; fi`;

/** Creates the change for the machine that `run` runs commands on. */
export function createSwapText(run: (command: Command) => Promise<CommandResult>): RemoteHost['swapText'] {
  return async (path, seen, text) => {
    const args = ['-c', SWAP, 'sh', path, seen, text === '' ? 'remove' : 'write'];
    const { code, stdout } = await run({
      ...{ file: SHELL, args, stdin: text },
      ...{ okCodes: [0, OTHER], timeoutMs: TIMEOUT_MS },
    });
    return code === OTHER ? { isDone: false, now: stdout } : { isDone: true };
  };
}

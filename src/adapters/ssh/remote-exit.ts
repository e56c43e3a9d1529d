/**
 * How a remote command ended, told apart from how the connection ended. ssh leaves with the command's exit code, or with
 * 255 for failures of its own, which a command may use too; so the remote shell says the code once more behind stderr.
 */

const MARK = 'holdfast-exit';

/** The command line with its exit code told at the end of stderr. */
export function withExitMark(line: string): string {
  return `${line}; printf '\\n${MARK} %d' $? >&2`;
}

export interface RemoteEnd {
  /** Undefined when the connection ended before the command. */
  readonly code: number | undefined;
  readonly stderr: string;
}

/** Takes the mark off. */
export function readExitMark(stderr: string): RemoteEnd {
  const match = new RegExp(`\\n${MARK} (\\d{1,3})$`).exec(stderr);
  if (match === null) return { code: undefined, stderr };
  return { code: Number(match[1]), stderr: stderr.slice(0, match.index) };
}

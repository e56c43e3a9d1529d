/** What NFS-Ganesha writes about itself: its answers to what it is told are there only, and it never gives room back. */
import type { Host } from '../../ports/host.ts';

/** The file is begun anew when it is larger; the one before is kept as NAME.1. */
const MAX_BYTES = 8 * 1024 ** 2;
const TAIL_BYTES = 64 * 1024;
const SHORT_MS = 20_000;
/** "21/11/2026 12:23:05 : epoch 6b018d28 : kube1 : nfs-ganesha-1126[main] main :NFS STARTUP :FATAL :words" */
const COMPLAINT = /:(?:CRIT|FATAL) :(.*)$/;
/** Said at every start where there is neither a message bus nor Kerberos, neither of which is used. */
const USUAL = /dbus|krb5|keytab|principal/i;

/** Where the log ends now; 0 where there is none. */
export async function endOfLog({ files }: Pick<Host, 'files'>, path: string): Promise<number> {
  return (await files.stat(path))?.sizeBytes ?? 0;
}

/** What was written since, as far as it is of use. */
export async function readLog({ files }: Pick<Host, 'files'>, path: string, from: number): Promise<string> {
  const end = await endOfLog({ files }, path);
  if (end <= from) return '';
  const offset = Math.max(from, end - TAIL_BYTES);
  return new TextDecoder().decode(await files.readBytes(path, offset, end - offset));
}

/** Its last complaints in one line; undefined without any. */
export function complaintsOf(text: string): string | undefined {
  const said = text.split('\n').flatMap((line) => {
    const words = COMPLAINT.exec(line)?.[1]?.trim();
    return words === undefined || USUAL.test(line) ? [] : [words];
  });
  return said.length === 0 ? undefined : [...new Set(said)].slice(-3).join('; ');
}

/** Keeps the logs small. They are held open, so what is in them is copied and the files are cut. */
export async function boundLogs(host: Host, paths: readonly string[], signal: AbortSignal): Promise<void> {
  for (const path of paths) {
    if ((await endOfLog(host, path)) <= MAX_BYTES) continue;
    await host.run({ file: 'cp', args: ['-T', '--', path, `${path}.1`], timeoutMs: SHORT_MS, signal });
    await host.run({ file: 'truncate', args: ['--size=0', '--', path], timeoutMs: SHORT_MS, signal });
  }
}

/** A certificate that somebody else renews: its files, read again now and then. */
import type { Clock } from '../../ports/clock.ts';
import type { HostFiles } from '../../ports/host.ts';
import type { Logger } from '../../ports/logger.ts';
import type { CertificateSource } from './serve-scheduling.ts';

const READ_MS = 60 * 60 * 1000;

export interface CertificateFiles {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** A failed look leaves the certificate that is in use; only the first one throws. */
export function certificateFiles(
  deps: { readonly clock: Clock; readonly log: Logger; readonly files: Pick<HostFiles, 'readText'> },
  { cert, key }: CertificateFiles,
): CertificateSource {
  const { clock, log, files } = deps;
  const read = async () => ({ certificatePem: await files.readText(cert), keyPem: await files.readText(key) });
  return async (use, signal) => {
    use(await read());
    while (!signal.aborted) {
      try {
        await clock.sleep(READ_MS, signal);
        use(await read());
      } catch (error) {
        if (!signal.aborted) log.error('the certificate for the scheduler cannot be read again', { err: error });
      }
    }
  };
}

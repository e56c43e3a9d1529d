/** Whether local volumes can be made on this machine: nothing runs for them, but their programs have to be there. */
import { messageOf } from '../../domain/errors.ts';
import type { EngineProbe } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { probeAbilities } from '../image/abilities.ts';

const PROGRAM_MS = 10_000;

/** Probes; never throws but when it is aborted. */
export async function probeLocal(host: Host, signal: AbortSignal): Promise<EngineProbe> {
  try {
    const { stdout } = await host.run({ file: 'mkfs.xfs', args: ['-V'], timeoutMs: PROGRAM_MS, signal });
    await host.run({ file: 'losetup', args: ['--version'], timeoutMs: PROGRAM_MS, signal });
    const version = /version (\S+)/.exec(stdout)?.[1];
    const abilities = await probeAbilities(host, signal);
    return { isInstalled: true, isRunning: true, abilities, ...(version === undefined ? {} : { version }) };
  } catch (error) {
    signal.throwIfAborted();
    const message = `local volumes need mkfs.xfs and losetup: ${messageOf(error)}; install xfsprogs and mount`;
    return { isInstalled: false, isRunning: false, message };
  }
}

/** Which nodes to fetch the description of a volume from when it is mounted. */
import { AppError } from '../../domain/errors.ts';
import type { GlusterCli } from './cli.ts';
import { findVolume } from './observe-volume.ts';
import type { AttachmentStep } from './steps.ts';

/**
 * The servers of a mount, without this node where its own daemon has not heard yet that the traffic of the volume was
 * encrypted, or is plain again: it was away meanwhile, and hears of it some seconds after its start. A mount that begins
 * with what was before never reaches a brick: told of the change, it goes on as it began (socket.c and client.c of
 * GlusterFS: `reconfigure` does not look at `transport.socket.ssl-enabled`).
 *
 * @throws {AppError} unavailable, when only this node could be asked
 */
export async function serversThatKnow(
  cli: GlusterCli,
  { volume, servers, isEncrypted }: Extract<AttachmentStep, { step: 'mountVolume' }>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (isEncrypted === undefined) return servers;
  const info = await findVolume(cli, volume, signal);
  if (info !== undefined && (info.options['client.ssl'] === 'on') === isEncrypted) return servers;
  const [own = 'this node', ...others] = servers;
  if (others.length > 0) return others;
  throw new AppError('unavailable', `GlusterFS on ${own} has not heard yet how the traffic of ${volume} is encrypted`, {
    resource: `volume ${volume}`,
    reason: 'NotHeardYet',
    hint: `it is mounted when ${own} has heard of it from the other nodes; see: holdfast cluster tls status`,
  });
}

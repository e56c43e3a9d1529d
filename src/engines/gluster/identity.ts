/**
 * Who glusterd is: the UUID that it keeps in a file, and how a machine that was installed anew takes over the one of the
 * machine that it replaces (measured with GlusterFS 10.3: naive starts stay "Disconnected" for ever).
 *
 * What is here is read from glusterd's own files, for it is asked while glusterd is stopped, too.
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { DesiredIdentity, ObservedIdentity } from '../../ports/engine.ts';
import type { Host } from '../../ports/host.ts';
import { type DaemonDeps, isDaemonRunning, startDaemon, stopDaemon } from './daemon.ts';
import type { IdentityStep } from './steps.ts';

const FOLDER = '/var/lib/glusterd';
const INFO = `${FOLDER}/glusterd.info`;
/** Beside glusterd's own state, so that it goes with it when the machine is installed anew. */
const MARK = `${FOLDER}/holdfast-rejoins`;
const REMOVE_MS = 30_000;
/** What glusterd calls a full member in the file of a peer ("Peer in Cluster"). */
const BEFRIENDED = 3;

/** Observes the identity; works whether or not glusterd runs. */
export async function observeIdentity({ host, signal }: DaemonDeps): Promise<ObservedIdentity> {
  const [id, peers, volumes] = await Promise.all([readId(host), listPeerFiles(host), listVolumeFolders(host)]);
  return {
    subject: 'identity',
    ...(id === undefined ? {} : { id }),
    isRunning: await isDaemonRunning({ host, signal }),
    isBlank: peers.length + volumes.length === 0,
    isUnderWay: await isRejoining(host),
    peerIds: peers,
    volumes,
  };
}

/** Whether an identity was, or is being, taken and the rest is not done yet. */
export async function isRejoining(host: Host): Promise<boolean> {
  return (await host.files.stat(MARK)) !== undefined;
}

/** Whether glusterd has neither peers nor volumes. */
export async function isBlank(host: Host): Promise<boolean> {
  return (await listPeerFiles(host)).length + (await listVolumeFolders(host)).length === 0;
}

/**
 * Gives a blank glusterd another identity, and starts it with that. Cut short anywhere, the same call does the rest.
 *
 * @throws {AppError} precondition, when it turns out not to be blank: nothing is changed then
 */
export async function takeIdentity(
  deps: DaemonDeps,
  step: Extract<IdentityStep, { step: 'takeIdentity' }>,
): Promise<void> {
  const { host } = deps;
  await host.files.writeText(MARK, `${step.id}\n`);
  await stopDaemon(deps);
  // Looked at once more now that it is stopped: from here on nobody but this step changes it.
  if ((await readId(host)) !== step.blankId || !(await isBlank(host))) {
    await startDaemon(deps);
    await host.files.remove(MARK);
    throw new AppError('precondition', `glusterd on ${host.name} is not blank any more, and keeps its identity`, {
      resource: `node ${host.name}`,
      reason: 'EngineNotBlank',
      hint: 'ask for it again with: holdfast node rejoin',
    });
  }
  const text = await host.files.readText(INFO);
  await host.files.writeText(INFO, text.replace(/^UUID=.*$/m, `UUID=${step.id}`), { mode: 0o600 });
  await learnAnew(deps, step);
}

/**
 * Starts glusterd with the members and no volume: it learns the volumes from the others, who have them all. Bricks stay.
 *
 * The files of the members are written here, all of them: a probe of a member that has rejected the blank glusterd before
 * gets stuck half-way (measured with GlusterFS 10.3, README.md).
 */
export async function learnAnew(deps: DaemonDeps, { peers: members }: Pick<DesiredIdentity, 'peers'>): Promise<void> {
  const { host, signal } = deps;
  await stopDaemon(deps);
  const peers = (await listPeerFiles(host)).map((name) => `${FOLDER}/peers/${name}`);
  const volumes = (await listVolumeFolders(host)).map((name) => `${FOLDER}/vols/${name}`);
  const args = ['-rf', '--one-file-system', '--', ...volumes, ...peers];
  await host.run({ file: 'rm', args, timeoutMs: REMOVE_MS, signal });
  for (const { node, id } of members) {
    const text = `uuid=${id}\nstate=${BEFRIENDED}\nhostname1=${node}\n`;
    await host.files.writeText(`${FOLDER}/peers/${id}`, text, { mode: 0o600 });
  }
  await startDaemon(deps);
}

/**
 * Says that glusterd has learned all there is. It is left running: a restart can come between the two halves of a handshake,
 * and a member that waits for the other half waits for ever ("Sent and Received peer request", README.md).
 */
export async function finishIdentity({ host }: Pick<DaemonDeps, 'host'>): Promise<void> {
  await host.files.remove(MARK);
}

async function readId(host: Host): Promise<string | undefined> {
  try {
    return /^UUID=(?<id>[0-9a-f-]{36})$/m.exec(await host.files.readText(INFO))?.groups?.['id'];
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

function listPeerFiles(host: Host): Promise<readonly string[]> {
  return host.files.list(`${FOLDER}/peers`);
}

/** A folder without `info` is what a creation that was cut short has left; it counts all the same as not blank. */
function listVolumeFolders(host: Host): Promise<readonly string[]> {
  return host.files.list(`${FOLDER}/vols`);
}

/**
 * TLS of GlusterFS on one node. With the file `secure-access` there, glusterd, bricks and mounts that are started speak
 * TLS to glusterd; whether bricks and mounts do to each other are options of the volume (options.ts).
 *
 * Debian's GlusterFS looks for its key and certificates in /usr/lib/ssl only. They are kept in a folder of Holdfast's own,
 * and linked to from there. A certificate that is exchanged there counts for every connection that begins afterwards,
 * without a restart (measured with 10.3: glusterd, a brick, and a mount that connects again).
 */
import { AppError, isAppError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Endpoint, EngineEncryption, HeldCertificate, SpokenProtocol } from '../../ports/encryption.ts';
import type { Host } from '../../ports/host.ts';
import type { NodeKeys } from '../../ports/node-keys.ts';
import type { TlsMode } from '../../schemas/storage-node.ts';
import { isDaemonRunning, startDaemon, stopDaemon, stopServices } from './daemon.ts';

const FOLDER = '/var/lib/holdfast/tls';
const KEY = `${FOLDER}/node.key`;
const CERTIFICATE = `${FOLDER}/node.pem`;
const AUTHORITY = `${FOLDER}/ca.pem`;
/** Where GlusterFS looks, and what is there. */
const LINKS = [
  ['/usr/lib/ssl/glusterfs.key', KEY],
  ['/usr/lib/ssl/glusterfs.pem', CERTIFICATE],
  ['/usr/lib/ssl/glusterfs.ca', AUTHORITY],
] as const;
const SECURE_ACCESS = '/var/lib/glusterd/secure-access';
/** On a file system that a restart of the machine empties: after that nothing is under way any more. */
const MARK = '/run/holdfast/engine-restart';
const GLUSTERD_PORT = 24_007;
const SHORT_MS = 10_000;

export interface PortLook {
  (
    endpoint: Endpoint,
    identity: { readonly keyPem: string; readonly certificatePem: string; readonly authorityPem: string } | undefined,
    signal: AbortSignal,
  ): Promise<SpokenProtocol>;
}

export interface EncryptionDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly keys: NodeKeys;
  readonly lookAtPort: PortLook;
}

/** Creates the encryption of the node whose Host is given. */
export function createGlusterEncryption(deps: EncryptionDeps): EngineEncryption {
  const { host, keys, lookAtPort } = deps;
  const look = async (endpoint: Endpoint, signal: AbortSignal) =>
    lookAtPort(endpoint, await readIdentity(deps), signal);
  return {
    mode: async (signal) => modeOf(await look({ host: '127.0.0.1', port: GLUSTERD_PORT }, signal)),
    isRestartUnderWay: async () => (await host.files.stat(MARK)) !== undefined,
    certificate: () => readHeld(deps),
    request: async (node) => keys.request(await ensureKey(deps), node),
    install: (certificate) => install(deps, certificate),
    restart: (mode, signal) => restart(deps, mode, signal),
    look,
  };
}

/** Only what was seen: a daemon that is busy or not there is neither of the two. */
function modeOf({ encrypted, answersPlain }: SpokenProtocol): TlsMode {
  if (answersPlain) return 'plain';
  return encrypted === undefined ? 'unknown' : 'encrypted';
}

async function ensureKey({ host, keys }: EncryptionDeps): Promise<string> {
  const held = await readIfThere(host, KEY);
  if (held !== undefined) return held;
  await host.files.makeDirectory(FOLDER, { mode: 0o700 });
  const keyPem = await keys.generate();
  await host.files.writeText(KEY, keyPem, { mode: 0o600 });
  return keyPem;
}

async function readIdentity({ host }: EncryptionDeps) {
  const [keyPem, certificatePem, authorityPem] = await Promise.all(
    [KEY, CERTIFICATE, AUTHORITY].map((path) => readIfThere(host, path)),
  );
  if (keyPem === undefined || certificatePem === undefined || authorityPem === undefined) return undefined;
  return { keyPem, certificatePem, authorityPem };
}

async function readHeld(deps: EncryptionDeps): Promise<HeldCertificate | undefined> {
  await demandOwnFiles(deps.host);
  const identity = await readIdentity(deps);
  if (identity === undefined) return undefined;
  const { certificatePem: pem, keyPem, authorityPem } = identity;
  const facts = deps.keys.match(pem, keyPem, authorityPem);
  if (facts === undefined) return undefined;
  // Cut short between the files and the links: not in use before the links are there.
  const links = await Promise.all(LINKS.map(([path]) => deps.host.files.stat(path)));
  if (links.some((link) => link === undefined)) return undefined;
  return { pem, notBefore: facts.notBefore, notAfter: facts.notAfter };
}

async function install(
  deps: EncryptionDeps,
  { pem, authorityPem }: { readonly pem: string; readonly authorityPem: string },
): Promise<void> {
  const { host, keys } = deps;
  await demandOwnFiles(host);
  const keyPem = await ensureKey(deps);
  if (keys.match(pem, keyPem, authorityPem) === undefined) {
    throw new AppError('invalid', `the certificate is not for the key of ${host.name}`, { reason: 'WrongCertificate' });
  }
  await host.files.writeText(AUTHORITY, authorityPem);
  await host.files.writeText(CERTIFICATE, pem);
  for (const [path, target] of LINKS) {
    await host.run({ file: 'ln', args: ['-sfn', '--', target, path], timeoutMs: SHORT_MS });
  }
}

/** Whoever set up TLS for GlusterFS by hand keeps it: what is not a link was not made here. */
async function demandOwnFiles(host: Host): Promise<void> {
  for (const [path] of LINKS) {
    const found = await host.files.stat(path);
    if (found === undefined || found.type === 'symlink') continue;
    throw new AppError('precondition', `${path} on ${host.name} was not made by Holdfast; it is left alone`, {
      resource: `node ${host.name}`,
      reason: 'ForeignCertificate',
      hint: 'move it away if it is not needed any more',
    });
  }
}

/**
 * Everything that serves is stopped before the file changes, for a brick of the other kind would be of no use to anybody.
 * The mark makes the rest be done by whoever comes after a crash: with glusterd stopped nobody else would start it.
 */
async function restart(
  { host, clock }: EncryptionDeps,
  mode: 'encrypted' | 'plain',
  signal: AbortSignal,
): Promise<void> {
  const daemon = { host, clock, signal };
  await host.files.writeText(MARK, `${mode}\n`);
  await stopDaemon(daemon);
  await stopServices(daemon);
  if (mode === 'encrypted') await host.files.writeText(SECURE_ACCESS, '');
  else await host.files.remove(SECURE_ACCESS);
  await startDaemon(daemon);
  if (await isDaemonRunning(daemon)) await host.files.remove(MARK);
}

async function readIfThere(host: Host, path: string): Promise<string | undefined> {
  try {
    return await host.files.readText(path);
  } catch (error) {
    if (isAppError(error, 'notFound')) return undefined;
    throw error;
  }
}

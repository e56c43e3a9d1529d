/** How a pod reaches its cluster: by the folder of its service account, which the kubelet keeps current. */
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { AppError } from '../../domain/errors.ts';
import { formatSocketAddress } from '../../domain/socket-address.ts';
import type { ApiEndpoint } from './kubeconfig.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a path given for a kubeconfig is such a folder instead. */
export async function isServiceAccount(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false; // whoever reads the file says what is wrong
}

/**
 * Reads the folder; the address of the API server is in the environment of each pod.
 *
 * @throws {AppError} notFound, when a file is missing; invalid, outside of a pod
 */
export async function loadServiceAccount(folder: string, env: Environment): Promise<ApiEndpoint> {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443';
  if (host === '') {
    throw new AppError('invalid', `${folder} is a folder, and this is no pod: KUBERNETES_SERVICE_HOST is not set`, {
      hint: 'name the file of a kubeconfig, or set KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT',
    });
  }
  const token = join(folder, 'token');
  await read(token);
  return {
    server: `https://${isIP(host) === 0 ? `${host}:${port}` : formatSocketAddress({ host, port: Number(port) })}`,
    ca: await read(join(folder, 'ca.crt')),
    // Read each time: it is valid for an hour, and replaced long before.
    headers: async () => ({ authorization: `Bearer ${(await read(token)).trim()}` }),
    origin: `service account in ${folder}`,
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new AppError('notFound', `${path} of the service account cannot be read`, {
      hint: 'let the pod mount the token of its service account: automountServiceAccountToken, or a projected volume',
      cause: error,
    });
  }
}

/**
 * Users of a kubeconfig who are known by a program or a cloud's login (exec, auth-provider): left to
 * @kubernetes/client-node, which this is the only file to import. Loaded only when a kubeconfig asks for it.
 */
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { ApiEndpoint } from './kubeconfig.ts';

/**
 * Asks the login program of a context once now, so that a broken one is reported at the start, and then for each
 * request; client-node keeps its answer until it expires.
 *
 * @throws {AppError} denied, with what the program said
 */
export async function loginProgramHeaders(path: string, context: string): Promise<Partial<ApiEndpoint>> {
  const config = new KubeConfig();
  config.loadFromFile(path);
  config.setCurrentContext(context);
  const first = await login(config, path);
  return {
    ...(typeof first.cert === 'string' && typeof first.key === 'string'
      ? { clientCertificate: first.cert, clientKey: first.key }
      : {}),
    headers: async () => headersOf(await login(config, path)),
  };
}

async function login(config: KubeConfig, path: string): Promise<RequestOptions> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new AppError('denied', `the login program of kubeconfig ${path} failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return options;
}

function headersOf(options: RequestOptions): Readonly<Record<string, string>> {
  const entries = Object.entries(options.headers ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), String(value)]));
}

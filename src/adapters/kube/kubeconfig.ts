/** Reads a kubeconfig: where the API server is, whom to trust there and how to show who we are. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { AppError, isAppError, messageOf } from '../../domain/errors.ts';
import { isServiceAccount, loadServiceAccount } from './service-account.ts';

/** How to reach one API server as one user. PEM texts, not paths. */
export interface ApiEndpoint {
  /** "https://10.0.0.1:6443", with a path if the server lives below one; no slash at the end. */
  readonly server: string;
  /** Certificates to trust; the system's when left out. */
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Name expected in the server's certificate, when it is not the one in the address. */
  readonly serverName?: string;
  /** True trusts any server: only when the kubeconfig says so. */
  readonly isInsecure?: boolean;
  /** Headers for each request, such as Authorization; asked each time, so that it can renew what expires. */
  readonly headers?: () => Promise<Readonly<Record<string, string>>>;
  /** For messages: the file and context it came from. */
  readonly origin: string;
}

/** For somebody who has no cluster yet, too. */
const MISSING_HINT =
  'name a kubeconfig with --kubeconfig or HOLDFAST_KUBECONFIG; the controller writes one, and "holdfast lab up" prints where';

const optionalText = z.string().optional();
const Kubeconfig = z.looseObject({
  'current-context': optionalText,
  clusters: z.array(
    z.looseObject({
      name: z.string(),
      cluster: z.looseObject({
        server: z.string(),
        'certificate-authority': optionalText,
        'certificate-authority-data': optionalText,
        'insecure-skip-tls-verify': z.boolean().optional(),
        'tls-server-name': optionalText,
      }),
    }),
  ),
  contexts: z.array(
    z.looseObject({ name: z.string(), context: z.looseObject({ cluster: z.string(), user: z.string() }) }),
  ),
  users: z
    .array(
      z.looseObject({
        name: z.string(),
        user: z
          .looseObject({
            'client-certificate': optionalText,
            'client-certificate-data': optionalText,
            'client-key': optionalText,
            'client-key-data': optionalText,
            token: optionalText,
            tokenFile: optionalText,
            username: optionalText,
            password: optionalText,
            exec: z.looseObject({}).nullish(),
            'auth-provider': z.looseObject({}).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
});
type Kubeconfig = z.infer<typeof Kubeconfig>;
type Cluster = Kubeconfig['clusters'][number]['cluster'];
type User = NonNullable<NonNullable<Kubeconfig['users']>[number]['user']>;

/**
 * Reads a kubeconfig file for one context; in a pod also the folder of its service account.
 *
 * @param context - name of the context; the file's current-context when left out
 * @throws {AppError} notFound, when the file is missing; invalid, naming the field that is wrong or missing
 */
export async function loadKubeconfig(path: string | readonly string[], context?: string): Promise<ApiEndpoint> {
  const paths = typeof path === 'string' ? [path] : path;
  const [first = ''] = paths;
  if (paths.length === 1 && (await isServiceAccount(first))) return loadServiceAccount(first, process.env);
  const configs = await readAll(paths);
  const list = paths.join(':');
  const chosen = context ?? configs.map(({ config }) => config['current-context']).find(isSaid);
  if (!isSaid(chosen)) throw fault(list, 'current-context', 'is not set', 'name a context with --context');
  const named = <T extends { readonly name: string }>(
    what: string,
    name: string,
    itemsOf: (config: Kubeconfig) => T[],
  ) => {
    const { path: at } = configs.find(({ config }) => itemsOf(config).some((item) => item.name === name)) ?? {
      path: list,
    };
    const items = configs.filter((each) => each.path === at || at === list).flatMap(({ config }) => itemsOf(config));
    return { found: find(at, what, items, name), files: { path: at, folder: dirname(resolve(at)) } };
  };
  const { found, files } = named('contexts', chosen, ({ contexts }) => contexts);
  const cluster = named('clusters', found.context.cluster, ({ clusters }) => clusters);
  const user = named('users', found.context.user, ({ users }) => users ?? []);
  const login = user.found.user ?? {};
  if (asksProgram(login) && user.files.path !== files.path) {
    throw new AppError(
      'unsupported',
      `the user of context ${chosen} logs in by a program, and is in another kubeconfig`,
      {
        hint: 'put both into one file: kubectl config view --flatten',
      },
    );
  }
  return {
    ...(await readCluster(cluster.found.cluster, cluster.files)),
    ...(await readUser(login, user.files, chosen)),
    origin: `${list}, context ${chosen}`,
  };
}

function asksProgram(user: User): boolean {
  return user.exec != null || user['auth-provider'] != null;
}

/** Of several files those that are there, as kubectl takes them; what is said in more than one counts in the first. */
async function readAll(
  paths: readonly string[],
): Promise<readonly { readonly path: string; readonly config: Kubeconfig }[]> {
  const found: { readonly path: string; readonly config: Kubeconfig }[] = [];
  let missing: unknown;
  for (const path of paths) {
    try {
      found.push({ path, config: parse(path, await read(path, 'kubeconfig')) });
    } catch (error) {
      if (paths.length === 1 || !isAppError(error, 'notFound')) throw error;
      missing = error;
    }
  }
  if (found.length === 0) throw missing;
  return found;
}

function isSaid(name: string | undefined): name is string {
  return name !== undefined && name !== '';
}

interface Files {
  readonly path: string;
  /** Relative paths in a kubeconfig start here. */
  readonly folder: string;
}

function parse(path: string, text: string): Kubeconfig {
  let data: unknown;
  try {
    data = parseYaml(text);
  } catch (error) {
    throw new AppError('invalid', `kubeconfig ${path} is no YAML: ${messageOf(error)}`, { cause: error });
  }
  const result = Kubeconfig.safeParse(data);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => ({ field: issue.path.join('.'), message: issue.message }));
  throw new AppError('invalid', `kubeconfig ${path}: ${faults[0]?.field || 'the file'}: ${faults[0]?.message}`, {
    faults,
  });
}

async function readCluster(cluster: Cluster, files: Files) {
  const server = cluster.server.replace(/\/+$/, '');
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw fault(files.path, 'clusters[].cluster.server', `"${cluster.server}" is not an http or https address`);
  }
  const ca = await pem(files, cluster['certificate-authority-data'], cluster['certificate-authority']);
  const serverName = cluster['tls-server-name'];
  return {
    server,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { isInsecure: true } : {}),
  };
}

async function readUser(user: User, files: Files, context: string): Promise<Partial<ApiEndpoint>> {
  if (asksProgram(user)) {
    // 37 MiB of memory that an agent does without: only a person's kubeconfig asks a login program.
    const { loginProgramHeaders } = await import('./login-program.ts');
    return loginProgramHeaders(files.path, context);
  }
  const clientCertificate = await pem(files, user['client-certificate-data'], user['client-certificate']);
  const clientKey = await pem(files, user['client-key-data'], user['client-key']);
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw fault(files.path, 'users[].user', 'has only one of client certificate and client key');
  }
  const headers = authorization(user, files);
  return {
    ...(clientCertificate === undefined || clientKey === undefined ? {} : { clientCertificate, clientKey }),
    ...(headers === undefined ? {} : { headers }),
  };
}

function authorization(user: User, files: Files): ApiEndpoint['headers'] {
  const { tokenFile, token, username, password } = user;
  if (tokenFile !== undefined) {
    // Read each time: the kubelet replaces the token of a pod long before it expires.
    return async () => ({
      authorization: `Bearer ${(await read(resolve(files.folder, tokenFile), 'token file')).trim()}`,
    });
  }
  if (token !== undefined) return () => Promise.resolve({ authorization: `Bearer ${token}` });
  if (username === undefined) return undefined;
  const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  return () => Promise.resolve({ authorization: `Basic ${basic}` });
}

/** A PEM text given in base64 (which wins, as in kubectl) or as a file. */
async function pem(files: Files, data: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  return file === undefined ? undefined : read(resolve(files.folder, file), 'file named in the kubeconfig');
}

async function read(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'there is no such file' : messageOf(error);
    throw new AppError(isMissing ? 'notFound' : 'denied', `${what} ${path} cannot be read: ${why}`, {
      ...(isMissing ? { hint: MISSING_HINT } : {}),
      cause: error,
    });
  }
}

function find<T extends { readonly name: string }>(path: string, list: string, items: readonly T[], name: string): T {
  const item = items.find((each) => each.name === name);
  if (item !== undefined) return item;
  const known = items.map((each) => each.name).join(', ');
  throw fault(path, list, `has no entry "${name}"`, `choose one of: ${known === '' ? '(there are none)' : known}`);
}

function fault(path: string, field: string, message: string, hint?: string): AppError {
  return new AppError('invalid', `kubeconfig ${path}: ${field} ${message}`, {
    faults: [{ field, message }],
    ...(hint === undefined ? {} : { hint }),
  });
}

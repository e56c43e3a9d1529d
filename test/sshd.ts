/** A real sshd for tests, on this machine or in a lab host, with keys made for the test. */
import { join } from 'node:path';
import type { Host, MachineHost, ProcessId } from '../src/ports/host.ts';

const TIMEOUT_MS = 20_000;

export interface SshKeys {
  /** Private key of who logs in. */
  readonly userKey: string;
  /** Public key of who logs in, as in authorized_keys. */
  readonly userPublicKey: string;
  /** Private key of every sshd of the test. */
  readonly hostKey: string;
  /** "ssh-ed25519 AAAA..." of every sshd of the test. */
  readonly hostPublicKey: string;
}

/** Makes both pairs of keys in a folder of this machine. */
export async function makeSshKeys(machine: Host, folder: string): Promise<SshKeys> {
  const make = async (name: string): Promise<readonly [string, string]> => {
    const path = join(folder, name);
    await machine.run({
      file: 'ssh-keygen',
      args: ['-q', '-t', 'ed25519', '-N', '', '-f', path],
      timeoutMs: TIMEOUT_MS,
    });
    return [path, (await machine.files.readText(`${path}.pub`)).trim()];
  };
  const [[userKey, userPublicKey], [hostKey, hostPublicKey]] = await Promise.all([make('user'), make('host')]);
  return { userKey, userPublicKey, hostKey, hostPublicKey };
}

/** Files for one sshd in a folder of its host; nobody else's authorized_keys or configuration counts. @returns its argv */
export async function prepareSshd(
  host: Host,
  folder: string,
  keys: SshKeys,
  listen: { readonly address: string; readonly port: number },
  readKey: (path: string) => Promise<string>,
): Promise<readonly string[]> {
  await host.files.makeDirectory(folder, { mode: 0o700 });
  await host.files.makeDirectory('/run/sshd', { mode: 0o755 });
  const write = (name: string, text: string) => host.files.writeText(join(folder, name), text, { mode: 0o600 });
  await write('host_key', await readKey(keys.hostKey));
  await write('authorized_keys', `${keys.userPublicKey}\n`);
  const settings = [
    `Port ${listen.port}`,
    `ListenAddress ${listen.address}`,
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    // No start-up files of the shells of this machine, which may do anything, and take their time.
    `SetEnv HOME=${folder}`,
    'MaxSessions 64',
    'Subsystem sftp internal-sftp',
  ];
  await write('sshd_config', `${settings.join('\n')}\n`);
  return ['/usr/sbin/sshd', '-D', '-e', '-f', join(folder, 'sshd_config')];
}

/** Starts one on this machine. */
export async function startSshd(machine: MachineHost, folder: string, keys: SshKeys, port: number): Promise<ProcessId> {
  const listen = { address: '127.0.0.1', port };
  const [file = '', ...args] = await prepareSshd(machine, folder, keys, listen, (path) => machine.files.readText(path));
  return machine.processes.start({ file, args, logFile: join(folder, 'sshd.log') });
}

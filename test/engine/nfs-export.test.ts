/** Volumes served by NFSv4 to a machine that is no node and has no GlusterFS client, by real NFS-Ganesha. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GV0, NODES, PATIENCE_MS, type Product, residue, startProduct, untilUsable } from './product-fixture.ts';

const CLIENT = 'client1';
const SERVER = 'kube1';
/** libnfs tries a server that is away for ever. */
const TRY_SECONDS = '10';

describe('a volume exported by NFS', () => {
  let product: Product;

  beforeAll(async () => {
    product = await startProduct({ name: 'nfs-export', hosts: [...NODES, CLIENT] });
    await product.apply([]);
    // A machine that Holdfast does not know.
    await product.killAgent(CLIENT);
    await product.client.delete('StorageNode', CLIENT);
    for (const node of NODES) await untilUsable(product, node);
  });
  afterAll(() => product?.remove());

  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };
  const address = (host: string) => product.lab.addressOf(host);
  const exportTo = (host: string, ...more: string[]) =>
    cli('volume', 'export', 'gv0', '--to', address(host), '--node', SERVER, '--yes', ...more);
  const url = (file: string) => `nfs://${address(SERVER)}/gv0/${file}?version=4`;
  const nfs = (host: string, program: string, ...args: readonly string[]) =>
    product.attempt(host, 'timeout', TRY_SECONDS, program, ...args);
  const read = (host: string, file: string) => nfs(host, 'nfs-cat', url(file));
  const write = (file: string) => nfs(CLIENT, 'nfs-cp', '/etc/hostname', url(file));
  const serverPid = async () => (await product.attempt(SERVER, 'pgrep', '--exact', 'ganesha.nfsd')).stdout.trim();
  /** A client is told to wait while a server that was started anew collects old claims. */
  const soon = (attempt: () => Promise<unknown>) =>
    expect.poll(attempt, { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
  const [DONE, REFUSED] = [{ code: 0 }, { code: 10 }];

  it('is read and written by whom it is exported to alone, while it is exported', async () => {
    await product.apply([{ ...GV0, export: { nodes: [SERVER], to: [address(CLIENT)] } }]);
    await product.mounted('gv0', NODES);
    await product.run('kube1', 'rm', '--force', '/data/by-nfs', '/data/by-nfs-again');
    const exported = await exportTo(CLIENT);
    expect(exported.stdout).toContain(`is exported by ${SERVER} as ${address(SERVER)}:/gv0 to ${address(CLIENT)}`);
    expect(await write('by-nfs')).toMatchObject(DONE);
    expect(await product.run('kube2', 'cat', '/data/by-nfs')).toBe(`${CLIENT}\n`);
    await product.run('kube3', 'cp', '/etc/hostname', '/data/by-mount');
    expect(await read(CLIENT, 'by-mount')).toMatchObject({ ...DONE, stdout: 'kube3\n' });

    expect(await read('kube2', 'by-mount')).toMatchObject(REFUSED);
    // Nobody but root of the client itself can say that it is root.
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'nfs-cat'] as const;
    expect(await nfs(CLIENT, 'setpriv', ...nobody, `${url('by-mount')}&uid=0&gid=0`)).toMatchObject(REFUSED);

    const first = await serverPid();
    await product.run(SERVER, 'kill', '-9', first);
    await expect.poll(serverPid, { timeout: PATIENCE_MS }).toMatch(new RegExp(`^(?!${first}$)\\d+$`));
    const second = await serverPid();

    // What is exported is in use.
    const deleted = await product.cli('volume', 'delete', 'gv0');
    expect(deleted).toMatchObject({ code: 5, stderr: expect.stringContaining(`${SERVER} as the NFS export /gv0`) });

    // An agent that comes anew finds the server that is there, and tells it what has changed.
    await product.killAgent(SERVER);
    await product.startAgent(SERVER);
    await exportTo(CLIENT, '--read-only');
    await soon(() => read(CLIENT, 'by-nfs'));
    expect((await write('refused')).code).not.toBe(0);

    await exportTo('kube2');
    expect(await read(CLIENT, 'by-mount')).toMatchObject(REFUSED);
    expect(await read('kube2', 'by-mount')).toMatchObject(DONE);
    await exportTo(CLIENT);
    expect(await write('by-nfs-again')).toMatchObject(DONE);
    expect(await serverPid()).toBe(second);

    const ended = await cli('volume', 'unexport', 'gv0', '--yes');
    expect(ended.stdout).toBe(`the export of volume gv0 by ${SERVER} has ended\n`);
    expect((await read(CLIENT, 'by-nfs')).code).not.toBe(0);
    expect(await serverPid()).toBe('');
    for (const file of ['by-nfs', 'by-nfs-again']) {
      expect(await product.run('kube3', 'cat', `/data/${file}`)).toBe(`${CLIENT}\n`);
    }
    await product.redundant('gv0');
    await cli('volume', 'delete', 'gv0', '--detach', '--force');
    expect(await residue(product)).toEqual([]);
  });
});

/** Volumes served by NFSv4 to a machine that is no node and has no GlusterFS client, by real NFS-Ganesha. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GV0, NODES, PATIENCE_MS, type Product, startProduct, untilUsable } from './product-fixture.ts';

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
    await product.apply([GV0]);
    await product.mounted('gv0', NODES);
  });
  afterAll(() => product?.remove());

  const cli = async (...args: string[]) => {
    const result = await product.cli(...args);
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result;
  };
  const url = (file: string) => `nfs://${product.lab.addressOf(SERVER)}/gv0/${file}?version=4`;
  const nfs = (host: string, program: string, ...args: readonly string[]) =>
    product.attempt(host, 'timeout', TRY_SECONDS, program, ...args);
  const read = (host: string, file: string) => nfs(host, 'nfs-cat', url(file));
  const serverPid = async () => (await product.attempt(SERVER, 'pgrep', '--exact', 'ganesha.nfsd')).stdout.trim();

  it('is read and written by whom it is exported to alone, also after its server and its agent were killed', async () => {
    const exported = await cli('volume', 'export', 'gv0', '--to', product.lab.addressOf(CLIENT), '--node', SERVER);
    console.log(exported.stdout, exported.stderr);
    console.log(await nfs(CLIENT, 'nfs-ls', `nfs://${product.lab.addressOf(SERVER)}/gv0?version=4`));
    console.log(await nfs(CLIENT, 'nfs-cp', '/etc/hostname', url('hello')));
    console.log(await product.attempt('kube2', 'ls', '-la', '/data'));
    await product.run('kube3', 'cp', '/etc/hostname', '/data/from-a-mount');
    console.log(await read(CLIENT, 'hello'), await read(CLIENT, 'from-a-mount'), await read('kube2', 'hello'));
    const pid = await serverPid();
    console.log(pid);
    console.log(await product.attempt(SERVER, 'cat', '/var/lib/holdfast/nfs-server/ganesha.conf', '/var/log/holdfast/nfs-server.log', '/var/log/holdfast/nfs-server-gfapi.log', '/var/log/holdfast/nfs-server.out'));
    await product.run(SERVER, 'kill', '-9', pid);
    await expect.poll(() => read(CLIENT, 'hello'), { timeout: PATIENCE_MS }).toMatchObject({ code: 0 });
    console.log(await serverPid(), Date.now());
    const del = await product.cli('volume', 'delete', 'gv0');
    console.log(del);
    console.log((await cli('volume', 'show', 'gv0')).stdout);
    const un = await cli('volume', 'unexport', 'gv0', '--yes');
    console.log(un, await serverPid(), await read(CLIENT, 'hello'));
  });
});

/**
 * Makes glusterd forget the port of a brick whose process goes on, as GlusterFS 10.3 does now and then when servers that had no
 * quorum find each other again: it calls the process online, and clients that ask for it get no port.
 */
import { GLUSTERD_ARGV } from '../../src/engines/gluster/daemon.ts';
import { LAB_NODE } from '../../src/ports/lab.ts';
import type { Product } from './product-fixture.ts';

/**
 * Speaks to glusterd's port map (program 34123456 of ONC RPC): waits until the process has registered itself again, and
 * registers it once more, with port 0.
 */
const REGISTER = `
const net = require('node:net');
const [brick] = process.argv.slice(1);
const [LOOK_UP, SIGN_IN] = [1, 4];
const uint = (value) => { const word = Buffer.alloc(4); word.writeUInt32BE(value >>> 0); return word; };
const string = (text) => Buffer.concat([uint(text.length), Buffer.from(text), Buffer.alloc((4 - (text.length % 4)) % 4)]);
const call = (procedure, ...args) => new Promise((resolve, reject) => {
  const body = Buffer.concat([1, 0, 2, 34123456, 1, procedure, 0, 0, 0, 0].map(uint).concat(args));
  const socket = net.connect(24007, '127.0.0.1', () => socket.write(Buffer.concat([uint(0x80000000 + body.length), body])));
  socket.on('data', (reply) => { socket.destroy(); resolve(reply.readUInt32BE(reply.length - 4)); });
  socket.on('error', reject);
});
const until = async (isMeant) => { while (!isMeant(await call(LOOK_UP, string(brick)).catch(() => undefined))); };
(async () => {
  await until((port) => port > 0);
  await call(SIGN_IN, string(brick), uint(0), uint(0));
  await until((port) => port === 0);
})();
`;

/** @returns the process that goes on */
export async function loseBrickPort(product: Product, node: string, volume: string): Promise<string> {
  const { pid, path } = await findBrick(product, node, volume);
  await product.run(node, 'kill', '-KILL', (await product.run(node, 'pgrep', '--exact', 'glusterd')).trim());
  // What it comes up with is the port that it wrote down when it started the process.
  const { files } = product.lab.host(node);
  const file = `/var/lib/glusterd/vols/${volume}/bricks/${node}:${path.replaceAll('/', '-')}`;
  await files.writeText(file, (await files.readText(file)).replace(/^listen-port=.*$/m, 'listen-port=0'));
  await product.run(node, ...GLUSTERD_ARGV);
  await product.run(node, LAB_NODE, '-e', REGISTER, path);
  return pid;
}

/** The brick process of a volume on a node. */
export async function findBrick(
  product: Product,
  node: string,
  volume: string,
): Promise<{ readonly pid: string; readonly path: string }> {
  const listed = await product.run(
    node,
    'pgrep',
    '--list-full',
    '--full',
    `^/usr/sbin/glusterfsd .*--volfile-id ${volume}\\.`,
  );
  const [pid = '', ...words] = listed.trim().split(' ');
  return { pid, path: words[words.indexOf('--brick-name') + 1] ?? '' };
}

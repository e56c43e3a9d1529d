/** What an agent can tell of its machine without any engine: who answers on the network, and which certificates it has. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:net';
import type { NodeSenses } from '../../ports/node-doctor.ts';
import { loadKubeconfig } from '../kube/kubeconfig.ts';

/** A machine of the same site answers in milliseconds; a packet that was lost is sent again after one second. */
const CONNECT_MS = 3_000;

/**
 * Creates the senses of this machine.
 *
 * @param kubeconfig - path of the agent's own; read anew each time, since certificates are renewed in place
 */
export function createNodeSenses(kubeconfig: string): NodeSenses {
  return {
    reach: ({ host, port }, signal) => reach({ host, port }, signal),
    certificates: async () => {
      const { ca, clientCertificate } = await loadKubeconfig(kubeconfig);
      const named = [
        { name: "the agent's client certificate", pem: clientCertificate },
        { name: 'the authority that the agent trusts', pem: ca },
      ];
      return named.flatMap(({ name, pem }) =>
        pem === undefined ? [] : [{ name, notAfter: new X509Certificate(pem).validToDate.getTime() }],
      );
    },
  };
}

function reach(to: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, signal });
    const end = (why: string | undefined) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(CONNECT_MS, () => end(`no answer within ${CONNECT_MS / 1000} s`));
    socket.once('connect', () => end(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

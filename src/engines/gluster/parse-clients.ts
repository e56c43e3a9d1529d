/** Answers about who uses the bricks of a volume, as types. Pure; measured samples: parse-clients.test.ts. */
import type { BrickCalls, BrickClients } from '../../ports/fencing.ts';
import type { Reply } from './reply.ts';

/** `volume status V clients`: the bricks of the nodes whose glusterd answers. */
export function parseClients(reply: Reply, volume: string): readonly BrickClients[] {
  const volumes = reply.root.child('volStatus')?.child('volumes')?.children('volume') ?? [];
  const found = volumes.find((candidate) => candidate.child('volName')?.text === volume);
  return (found?.children('node') ?? []).flatMap((node) => {
    const [host, path] = [node.child('hostname')?.text, node.child('path')?.text];
    if (host === undefined || path === undefined) return [];
    const status = node.child('clientsStatus');
    const isAnswered = node.child('status')?.text === '1' && status !== undefined;
    return [{ host, path, clients: isAnswered ? status.children('client').map(addressOf) : undefined }];
  });
}

/** "10.91.1.3:49148"; an IPv6 address has no brackets there. */
function addressOf(client: { child(name: string): { readonly text: string } | undefined }): string {
  const peer = client.child('hostname')?.text ?? '';
  return peer.slice(0, peer.lastIndexOf(':'));
}

/** `volume status V callpool`, in text. The question itself is one of the calls. */
export function parseCalls(text: string): readonly BrickCalls[] {
  const parts = text.split(/^Brick : /m).slice(1);
  return parts.flatMap((part) => {
    const [, host, path] = /^([^:\n]+):(\/.*)$/m.exec(part) ?? [];
    // Without this line the brick did not answer.
    if (host === undefined || path === undefined || !/^Pending calls: \d+$/m.test(part)) return [];
    return [{ host, path, calls: [...part.matchAll(/^\s*Unique\s*: (\d+)$/gm)].map(([, unique = '']) => unique) }];
  });
}

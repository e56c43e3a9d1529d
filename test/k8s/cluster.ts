/** The API server of Kubernetes with its etcd on this machine, beside a lab: everything that was started ends with the lab. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/domain/errors.ts';
import { type ComposedLab, composeLab } from '../../src/main/compose-lab.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { buildApiServer } from '../../tools/k8s/build.ts';
import { API_SERVER_PORT, startApiServer } from './control-plane.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { createPki } from './pki.ts';

const ROOT = join(import.meta.dirname, '../..');
const READY_MS = 60_000;
const POLL_MS = 100;

export interface Cluster {
  readonly kubectl: Kubectl;
  /** The product's own client, as the administrator. */
  readonly client: ResourceClient;
  remove(): Promise<void>;
}

/** Brings it up; returns when the API server answers. @param name - of its lab */
export async function startCluster(name: string): Promise<Cluster> {
  const program = await buildApiServer();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-k8s-'));
  const composed = composeLab(join(folder, 'labs'), ROOT);
  const { labs, machine, clock } = composed;
  const remove = async (): Promise<void> => {
    for (const each of await labs.list()) await labs.down(each.name);
    await rm(folder, { recursive: true });
  };
  try {
    const lab = await labs.up({ name, hosts: 1 });
    const server = `https://${lab.gateway}:${API_SERVER_PORT}`;
    const pki = await createPki(join(folder, 'pki'), lab.gateway, server);
    await startApiServer({ lab, program, pki, folder });
    const kubectl = createKubectl(machine, pki.admin, join(folder, 'kubectl'));
    await answers(kubectl, clock);
    return { kubectl, client: await composed.connect(pki.admin), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function answers(kubectl: Kubectl, clock: ComposedLab['clock']): Promise<void> {
  let last = 'it was not asked';
  for (const end = clock.monotonic() + READY_MS; clock.monotonic() < end; await clock.sleep(POLL_MS)) {
    try {
      await kubectl.run('get', '--raw', '/readyz');
      return;
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new Error(`the API server does not answer: ${last}`);
}

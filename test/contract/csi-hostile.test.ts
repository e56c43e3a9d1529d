/**
 * Every field of every request, with what somebody might send there in bad faith: refused with the right code, nothing made, and
 * no secret in an answer or a log. The fields come from the definition of CSI, so a new one fails here until it has a line.
 */
import { type Channel, ClientError, createChannel, createClient, Status } from 'nice-grpc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelFault } from '../../src/domain/names.ts';
import { VolumeCapability_AccessMode_Mode as Mode } from '../../src/gen/csi/csi.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { KINDS, type KindName } from '../../src/schemas/kinds.ts';
import { attacksOn, ROOT } from './csi-attacks.ts';
import { type CsiClient, createCsiClient, mountable } from './csi-client.ts';
import { type Message, type MethodDefinition, readCsiDefinition, withValue } from './csi-fields.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

const GIB = 1024n ** 3n;
const SECRET = 'hunter2-the-secret';
const SECRETS = [['key', SECRET]] as const;
const STAGING = `${ROOT}/plugins/vol/globalmount`;
const TARGET = `${ROOT}/pods/p1/volumes/vol/mount`;
const [STAGING_2, TARGET_2] = [`${STAGING}2`, `${TARGET}2`];
const CAPABILITY = { mount: {}, access_mode: { mode: 5 } };
const RANGE = { required_bytes: GIB };
/** A call that hangs must not be taken for one that is still being worked at. */
const CALL_MS = 30_000;

/** More questions than this no call asks that does not wait. */
const MOMENTS = 12;

interface Base {
  readonly request: Message;
  /** Takes back what the call has made when it was not refused. */
  readonly undo?: (() => Promise<unknown>) | undefined;
}

/** Calls that need not be offered; one that is gets its attacks. */
const UNSERVED = ['GetSnapshot', 'NodeExpandVolume'];

const definition = readCsiDefinition();
const METHODS = definition.methods.filter(({ service }) =>
  ['Identity', 'Controller', 'Node', 'GroupController'].includes(service),
);
let world: CsiWorld;
let csi: CsiClient;
let channels: Readonly<Record<'controller' | 'node', Channel>>;
let state: string;
let onQuestion: () => void = () => undefined;

/** The API, as the services ask it. */
function withQuestions(client: ResourceClient): ResourceClient {
  return new Proxy(client, {
    get: (target, name) => {
      onQuestion();
      return Reflect.get(target, name) as unknown;
    },
  });
}

beforeAll(async () => {
  world = await startCsiWorld({ around: withQuestions });
  csi = createCsiClient(world);
  channels = {
    controller: createChannel(`unix://${world.controllerSocket}`),
    node: createChannel(`unix://${world.nodeSocket}`),
  };
  const capacityRange = { requiredBytes: GIB, limitBytes: 0n };
  const volumeCapability = mountable();
  for (const name of ['vol', 'idle']) {
    await csi.controller.createVolume({ name, volumeCapabilities: [volumeCapability], capacityRange });
  }
  await csi.controller.controllerPublishVolume({ volumeId: 'vol', nodeId: 'kube1', volumeCapability });
  const staged = { volumeId: 'vol', stagingTargetPath: STAGING, volumeCapability };
  await csi.node.nodeStageVolume(staged);
  await csi.node.nodePublishVolume({ ...staged, targetPath: TARGET });
  await csi.controller.createSnapshot({ name: 'snap', sourceVolumeId: 'vol' });
  const local = { parameters: { engine: 'local' }, volumeCapabilities: [mountable(Mode.SINGLE_NODE_WRITER)] };
  await csi.controller.createVolume({ name: 'near', capacityRange, ...local });
  await csi.groups.createVolumeGroupSnapshot({ name: 'group', sourceVolumeIds: ['near'] });
  // What a call leaves on purpose, such as the folder of a staging path, is there before the first attack.
  for (const { name } of METHODS) {
    const base = BASES[name];
    if (base === undefined) continue;
    await codeOf(name, base.request);
    await base.undo?.();
  }
  state = await readState();
});

afterAll(async () => {
  channels.controller.close();
  channels.node.close();
  csi.close();
  await world.stop();
});

/** A call of each method that is right, and changes nothing that its undoing does not take back. */
const BASES: Readonly<Record<string, Base>> = {
  GetPluginInfo: { request: {} },
  GetPluginCapabilities: { request: {} },
  Probe: { request: {} },
  ControllerGetCapabilities: { request: {} },
  NodeGetCapabilities: { request: {} },
  NodeGetInfo: { request: {} },
  CreateVolume: {
    request: {
      name: 'new',
      capacity_range: RANGE,
      volume_capabilities: [CAPABILITY],
      parameters: [['restuserkey', SECRET]],
      secrets: SECRETS,
    },
    undo: deleteNew,
  },
  DeleteVolume: { request: { volume_id: 'gone', secrets: SECRETS } },
  ControllerPublishVolume: {
    request: { volume_id: 'idle', node_id: 'kube2', volume_capability: CAPABILITY, secrets: SECRETS },
    undo: () => csi.controller.controllerUnpublishVolume({ volumeId: 'idle', nodeId: 'kube2' }),
  },
  ControllerUnpublishVolume: { request: { volume_id: 'idle', node_id: 'kube2', secrets: SECRETS } },
  ValidateVolumeCapabilities: {
    request: { volume_id: 'vol', volume_capabilities: [CAPABILITY], secrets: SECRETS },
  },
  ListVolumes: { request: {} },
  GetCapacity: { request: { volume_capabilities: [CAPABILITY] } },
  CreateSnapshot: {
    request: { name: 'new', source_volume_id: 'vol', secrets: SECRETS },
    undo: deleteNew,
  },
  DeleteSnapshot: { request: { snapshot_id: 'gone', secrets: SECRETS } },
  GroupControllerGetCapabilities: { request: {} },
  CreateVolumeGroupSnapshot: {
    request: { name: 'new', source_volume_ids: ['near'], secrets: SECRETS },
    undo: deleteNew,
  },
  DeleteVolumeGroupSnapshot: { request: { group_snapshot_id: 'gone', secrets: SECRETS } },
  GetVolumeGroupSnapshot: { request: { group_snapshot_id: 'group', secrets: SECRETS } },
  ListSnapshots: { request: { secrets: SECRETS } },
  ControllerExpandVolume: {
    request: { volume_id: 'vol', capacity_range: RANGE, volume_capability: CAPABILITY, secrets: SECRETS },
  },
  ControllerGetVolume: { request: { volume_id: 'vol' } },
  ControllerModifyVolume: { request: { volume_id: 'vol', secrets: SECRETS } },
  NodeStageVolume: {
    request: { volume_id: 'vol', staging_target_path: STAGING_2, volume_capability: CAPABILITY, secrets: SECRETS },
    undo: () => csi.node.nodeUnstageVolume({ volumeId: 'vol', stagingTargetPath: STAGING_2 }),
  },
  NodeUnstageVolume: { request: { volume_id: 'vol', staging_target_path: STAGING_2 } },
  NodePublishVolume: {
    request: {
      volume_id: 'vol',
      staging_target_path: STAGING,
      target_path: TARGET_2,
      volume_capability: CAPABILITY,
      secrets: SECRETS,
    },
    undo: () => csi.node.nodeUnpublishVolume({ volumeId: 'vol', targetPath: TARGET_2 }),
  },
  NodeUnpublishVolume: { request: { volume_id: 'vol', target_path: TARGET_2 } },
  NodeGetVolumeStats: { request: { volume_id: 'vol', volume_path: TARGET } },
  NodeExpandVolume: {
    request: { volume_id: 'vol', volume_path: TARGET, capacity_range: RANGE, volume_capability: CAPABILITY },
  },
};

async function deleteNew(): Promise<void> {
  const [volumes, snapshots] = await Promise.all([
    world.client.list('Volume'),
    world.client.list('VolumeSnapshotRecord'),
  ]);
  for (const { metadata } of (await world.client.list('VolumeGroupSnapshotRecord')).items) {
    expect(labelFault(metadata.name)).toBeUndefined();
    if (metadata.name === 'group') continue;
    await csi.groups.deleteVolumeGroupSnapshot({ groupSnapshotId: metadata.name });
  }
  for (const { metadata, spec } of snapshots.items) {
    expect(labelFault(metadata.name)).toBeUndefined();
    if (metadata.name !== 'snap' && spec.group === undefined)
      await csi.controller.deleteSnapshot({ snapshotId: metadata.name });
  }
  for (const { metadata } of volumes.items) {
    expect(labelFault(metadata.name)).toBeUndefined();
    if (!['vol', 'idle', 'near'].includes(metadata.name))
      await csi.controller.deleteVolume({ volumeId: metadata.name });
  }
}

/** Everything that a call can change: all objects, the mount table, and the folders. */
async function readState(): Promise<string> {
  const kinds = Object.keys(KINDS) as KindName[];
  const objects = await Promise.all(kinds.map(async (kind) => (await world.client.list(kind)).items));
  return JSON.stringify([
    objects,
    world.host.mountTable(),
    [...world.host.entries].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

interface Answer {
  readonly code: Status;
  readonly details: string;
}

/** The library knows the methods of generated services only by their types. */
interface RawClient {
  call(bytes: Uint8Array, options: { readonly signal: AbortSignal }): Promise<Uint8Array>;
}

async function send(
  { service, name }: Pick<MethodDefinition, 'service' | 'name'>,
  bytes: Uint8Array,
  signal: AbortSignal = AbortSignal.timeout(CALL_MS),
): Promise<Answer> {
  const pass = (each: Uint8Array): Uint8Array => each;
  const call = {
    path: `/csi.v1.${service}/${name}`,
    ...{ requestStream: false, responseStream: false, options: {} },
    ...{ requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass },
  } as const;
  const client: RawClient = createClient({ call }, channels[service === 'Node' ? 'node' : 'controller']);
  return client.call(bytes, { signal }).then(
    () => ({ code: Status.OK, details: '' }),
    (error: unknown) => {
      if (error instanceof ClientError) return { code: error.code, details: error.details };
      throw error;
    },
  );
}

async function codeOf(name: string, message: Message, signal?: AbortSignal): Promise<Answer> {
  const method = METHODS.find((each) => each.name === name);
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return send(method, definition.encode(method.request, message), signal);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return text.length > 80 ? `${text.slice(0, 80)}... (${text.length})` : text;
}

/** Every value for every place of a request. */
function attacksOf({ request }: MethodDefinition) {
  return definition
    .placesOf(request)
    .flatMap(({ path, key }) =>
      (attacksOn(request, key) ?? []).flatMap(({ values, codes }) => values.map((value) => ({ path, value, codes }))),
    );
}

const isServed = async (name: string): Promise<boolean> => (await codeOf(name, {})).code !== Status.UNIMPLEMENTED;

test('every field of every request has a line', () => {
  const without = METHODS.flatMap(({ request }) =>
    definition.placesOf(request).filter(({ key }) => attacksOn(request, key) === undefined),
  );
  expect(without.map(({ key }) => key)).toEqual([]);
  expect(METHODS.length).toBeGreaterThan(25);
});

describe.each(METHODS)('$name', (method) => {
  const { name } = method;
  test('refuses what is sent in bad faith, and nothing of it stays', async () => {
    if (!(await isServed(name))) return expect(UNSERVED).toContain(name);
    const base = BASES[name];
    expect(base, `write a call of ${name} that is right`).toBeDefined();
    if (base === undefined) return;
    const { code, details } = await codeOf(name, base.request);
    expect(details).toBe('');
    expect(code).toBe(Status.OK);
    await base.undo?.();
    for (const { path, value, codes } of attacksOf(method)) {
      const what = `${path.join('.')} = ${shown(value)}`;
      const answer = await codeOf(name, withValue(base.request, path, value));
      const allowed = codes.map((each) => Status[each]);
      expect(allowed, `${what}: ${answer.details}`).toContain(Status[answer.code]);
      if (answer.code === Status.OK) await base.undo?.();
      expect(answer.details, what).not.toContain(SECRET);
      expect(await readState(), what).toBe(state);
    }
  });

  test('is done once, or turned away, when it comes twenty times at once', async () => {
    if (!(await isServed(name))) return;
    const base = BASES[name];
    const answers = await Promise.all(Array.from({ length: 20 }, () => codeOf(name, base?.request ?? {})));
    const codes = answers.map(({ code }) => Status[code]);
    expect(codes).toContain('OK');
    expect(codes.filter((code) => code !== 'OK' && code !== 'ABORTED')).toEqual([]);
    await base?.undo?.();
    expect(await readState()).toBe(state);
  });

  test('leaves nothing behind when its caller goes away, at whichever question to the API that is', async () => {
    if (!(await isServed(name))) return;
    const base = BASES[name];
    for (let nth = 1; nth <= MOMENTS; nth += 1) {
      const caller = new AbortController();
      let questions = 0;
      onQuestion = () => {
        questions += 1;
        if (questions === nth) caller.abort();
      };
      const call = codeOf(name, base?.request ?? {}, caller.signal).catch((error: unknown) => error);
      const gone = new Promise((resolve) => caller.signal.addEventListener('abort', resolve));
      await Promise.race([call, gone]);
      onQuestion = () => undefined;
      await call;
      // What was under way lets go of the name a little later; the same call then ends what it had begun.
      const again = async () => Status[(await codeOf(name, base?.request ?? {})).code];
      await expect.poll(again, { timeout: CALL_MS }).toBe('OK');
      await base?.undo?.();
      expect(await readState(), `given up at question ${nth}`).toBe(state);
      if (questions < nth) return;
    }
  });

  test('takes no harm from bytes that are no request', async () => {
    if (!(await isServed(name))) return;
    const whole = definition.encode(method.request, BASES[name]?.request ?? {});
    const torn = [
      whole.slice(0, -1),
      Uint8Array.from([...whole, 0xff]),
      Uint8Array.from([0x0b]),
      new Uint8Array(64).fill(0xff),
    ];
    for (const bytes of [...torn, Uint8Array.from(Array.from({ length: 100_000 }, () => 0x0b))]) {
      await send(method, bytes);
      await BASES[name]?.undo?.();
      expect(await readState()).toBe(state);
    }
    expect((await send({ service: 'Identity', name: 'Probe' }, new Uint8Array())).code).toBe(Status.OK);
  });
});

test('no secret is in the log, and no line of it is long', () => {
  const lines = world.log.entries.map((entry) => JSON.stringify(entry));
  expect(lines.length).toBeGreaterThan(1_000);
  expect(lines.filter((line) => line.includes(SECRET))).toEqual([]);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(16_384);
  expect(lines.filter((line) => line.includes('CSI call failed') && !line.includes('deserializ'))).toEqual([]);
});

/**
 * Every field of every request, with what somebody might send there in bad faith: refused with the right code, nothing made, and
 * no secret in an answer or a log. The fields come from the definition of CSI, so a new one fails here until it has a line.
 */
import { type Channel, ClientError, createChannel, createClient, Status } from 'nice-grpc';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { KINDS, type KindName } from '../../src/schemas/kinds.ts';
import { attacksOn } from './csi-attacks.ts';
import { BASES, type Base, furnish, SECRET } from './csi-bases.ts';
import { type CsiClient, createCsiClient } from './csi-client.ts';
import { type Message, type MethodDefinition, readCsiDefinition, withValue } from './csi-fields.ts';
import { type CsiWorld, startCsiWorld } from './csi-world.ts';

/** A call that hangs must not be taken for one that is still being worked at. */
const CALL_MS = 30_000;

/** More questions than this no call asks that does not wait. */
const MOMENTS = 12;

/** Calls that need not be offered; one that is gets its attacks. */
const UNSERVED = ['GetSnapshot', 'NodeExpandVolume'];

const definition = readCsiDefinition();
const METHODS = definition.methods.filter(({ service }) =>
  ['Identity', 'Controller', 'Node', 'GroupController'].includes(service),
);
let world: CsiWorld;
let csi: CsiClient;
let channels: Readonly<Record<'controller' | 'node', Channel>>;
let state: readonly string[];
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
  await furnish(csi, world);
  // What a call leaves on purpose, such as the folder of a staging path, is there before the first attack.
  for (const base of BASES) {
    await codeOf(base.method, base.request);
    await base.undo?.(csi, world);
  }
  state = await readState();
});

afterAll(async () => {
  channels.controller.close();
  channels.node.close();
  csi.close();
  await world.stop();
});

/** Everything that a call can change: all objects, the mount table, and the folders. */
async function readState(): Promise<readonly string[]> {
  const kinds = Object.keys(KINDS) as KindName[];
  const objects = await Promise.all(kinds.map(async (kind) => (await world.client.list(kind)).items));
  const folders = [...world.host.entries].map(([path, type]) => `${type} ${path}`).toSorted();
  return [...objects.flat(), ...world.host.mountTable()].map((each) => JSON.stringify(each)).concat(folders);
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
  const method = methodOf(name);
  return send(method, definition.encode(method.request, message), signal);
}

function methodOf(name: string): MethodDefinition {
  const method = METHODS.find((each) => each.name === name);
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return method;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  return text.length > 80 ? `${text.slice(0, 80)}... (${text.length})` : text;
}

/** Every value for every place of a request. */
function attacksOf({ method, engine }: Base) {
  const { request } = methodOf(method);
  return definition
    .placesOf(request)
    .flatMap(({ path, key }) =>
      (attacksOn(request, key, engine) ?? []).flatMap(({ values, codes }) =>
        values.map((value, at) => ({ path, value, codes, isLast: at === values.length - 1 })),
      ),
    );
}

test('every field of every request has a line', () => {
  const without = METHODS.flatMap(({ request }) =>
    definition.placesOf(request).filter(({ key }) => attacksOn(request, key) === undefined),
  );
  expect(without.map(({ key }) => key)).toEqual([]);
  expect(METHODS.length).toBeGreaterThan(25);
});

test('every method has a call that is right, or is not offered', async () => {
  const without = METHODS.filter(({ name }) => BASES.every(({ method }) => method !== name)).map(({ name }) => name);
  expect(without).toEqual(UNSERVED);
  for (const name of UNSERVED) expect((await codeOf(name, {})).code).toBe(Status.UNIMPLEMENTED);
});

describe.each(BASES)('$method for $engine', (base) => {
  const { method: name, request } = base;
  const undo = () => base.undo?.(csi, world);
  test('refuses what is sent in bad faith, and nothing of it stays', async () => {
    const { code, details } = await codeOf(name, request);
    expect(details).toBe('');
    expect(code).toBe(Status.OK);
    await undo();
    for (const { path, value, codes, isLast } of attacksOf(base)) {
      const what = `${path.join('.')} = ${shown(value)}`;
      const answer = await codeOf(name, withValue(request, path, value));
      const allowed = codes.map((each) => Status[each]);
      expect(allowed, `${what}: ${answer.details}`).toContain(Status[answer.code]);
      if (answer.code === Status.OK) await undo();
      expect(answer.details, what).not.toContain(SECRET);
      // Of values that are all refused nothing is taken back in between, so what one of them left is there after the last.
      if (isLast || codes.includes(Status.OK)) expect(await readState(), `up to ${what}`).toEqual(state);
    }
  });

  test('is done once, or turned away, when it comes twenty times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => codeOf(name, request)));
    const codes = answers.map(({ code }) => Status[code]);
    expect(codes).toContain('OK');
    expect(codes.filter((code) => code !== 'OK' && code !== 'ABORTED')).toEqual([]);
    await undo();
    expect(await readState()).toEqual(state);
  });

  test('leaves nothing behind when its caller goes away, at whichever question to the API that is', async () => {
    for (let nth = 1; nth <= MOMENTS; nth += 1) {
      const caller = new AbortController();
      let questions = 0;
      onQuestion = () => {
        questions += 1;
        if (questions === nth) caller.abort();
      };
      const call = codeOf(name, request, caller.signal).catch((error: unknown) => error);
      const gone = new Promise((resolve) => caller.signal.addEventListener('abort', resolve));
      await Promise.race([call, gone]);
      onQuestion = () => undefined;
      await call;
      // What was under way lets go of the name a little later; the same call then ends what it had begun.
      const again = async () => Status[(await codeOf(name, request)).code];
      await expect.poll(again, { timeout: CALL_MS }).toBe('OK');
      await undo();
      expect(await readState(), `given up at question ${nth}`).toEqual(state);
      if (questions < nth) return;
    }
  });
});

const oneOfEach = METHODS.flatMap(({ name }) => BASES.find(({ method }) => method === name) ?? []);

// Nothing of that gets as far as an engine.
describe.each(oneOfEach)('$method', (base) => {
  const { method: name, request } = base;
  test('takes no harm from bytes that are no request', async () => {
    const whole = definition.encode(methodOf(name).request, request);
    const torn = [
      whole.slice(0, -1),
      Uint8Array.from([...whole, 0xff]),
      Uint8Array.from([0x0b]),
      new Uint8Array(64).fill(0xff),
    ];
    for (const bytes of [...torn, Uint8Array.from(Array.from({ length: 100_000 }, () => 0x0b))]) {
      await send(methodOf(name), bytes);
      await base.undo?.(csi, world);
      expect(await readState()).toEqual(state);
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

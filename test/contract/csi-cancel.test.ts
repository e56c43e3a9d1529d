/** Calls that are given up, or cut short by a death, in the middle of a mount: nothing of them stays, and the next one ends it. */
import { Status } from 'nice-grpc';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunError } from '../../src/ports/run-error.ts';
import { type CsiClient, createCsiClient, mountable, refusalOf } from './csi-client.ts';
import { type CsiWorld, startCsiWorld, TARGET_ROOT } from './csi-world.ts';

const STAGING = `${TARGET_ROOT}/plugins/csi.holdfast.dev/vol/globalmount`;
/** What is bound there: not at the path itself, or kubelet would never let go of it. */
const STAGED = `${STAGING}/volume`;
const TARGET = `${TARGET_ROOT}/pods/p1/volumes/vol/mount`;
const MOUNT = '/var/lib/holdfast/mounts/vol';

let world: CsiWorld;
let csi: CsiClient;
beforeEach(async () => {
  world = await startCsiWorld();
  csi = createCsiClient(world);
  await csi.controller.createVolume({ name: 'vol', volumeCapabilities: [mountable()] });
});
afterEach(async () => {
  csi.close();
  await world.stop();
});

const publish = () =>
  csi.controller.controllerPublishVolume({ volumeId: 'vol', nodeId: 'kube1', volumeCapability: mountable() });
const stage = (signal?: AbortSignal) =>
  csi.node.nodeStageVolume(
    { volumeId: 'vol', stagingTargetPath: STAGING, volumeCapability: mountable() },
    signal === undefined ? {} : { signal },
  );
const bind = (rest: { readonly?: boolean } = {}, signal?: AbortSignal) =>
  csi.node.nodePublishVolume(
    { volumeId: 'vol', stagingTargetPath: STAGING, targetPath: TARGET, volumeCapability: mountable(), ...rest },
    signal === undefined ? {} : { signal },
  );
const targets = () => world.host.mountTable().map(({ target }) => target);
const optionsAt = (path: string) => world.host.mountTable().find(({ target }) => target === path)?.options;

/** Hangs up while the nth mount from now on is under way: the kernel has done it, and the program is killed then. */
function hangUpAt(nth: number): AbortSignal {
  const caller = new AbortController();
  let left = nth;
  world.host.onMount(async ({ signal }) => {
    left -= 1;
    if (left !== 0) return;
    caller.abort();
    await new Promise((resolve) => {
      if (signal?.aborted === true) resolve(undefined);
      signal?.addEventListener('abort', resolve);
    });
    throw new RunError('mount was aborted', { failure: 'aborted', file: 'mount' });
  });
  return caller.signal;
}

/** The call under way lets go of the volume some time after its caller has gone. */
const succeed = (call: () => Promise<unknown>) =>
  expect
    .poll(() =>
      call().then(
        () => 'done',
        () => 'busy',
      ),
    )
    .toBe('done');

test.each([1, 2])(
  'staging that is given up at step %i of the bind leaves no mount, and is done by the next call',
  async (nth) => {
    await publish();
    const signal = hangUpAt(nth);
    await expect(stage(signal)).rejects.toThrow('aborted');
    await expect.poll(targets).toEqual([MOUNT]);
    await succeed(() => stage());
    expect(targets()).toEqual([MOUNT, STAGED]);
  },
);

test.each([1, 2])(
  'publishing that is given up at step %i of the bind leaves no mount, and is done by the next call',
  async (nth) => {
    await publish();
    await stage();
    const signal = hangUpAt(nth);
    await expect(bind({}, signal)).rejects.toThrow('aborted');
    await expect.poll(targets).toEqual([MOUNT, STAGED]);
    await succeed(() => bind());
    expect(optionsAt(TARGET)).toEqual(['rw', 'nosuid', 'nodev']);
  },
);

test('staging that is given up while the volume is not mounted yet has mounted nothing', async () => {
  const letGo = world.holdBack();
  await publish();
  const caller = new AbortController();
  const call = stage(caller.signal);
  // Its folder is what it makes before it waits.
  await expect.poll(() => world.host.entries.has(STAGING)).toBe(true);
  caller.abort();
  await expect(call).rejects.toThrow('aborted');
  // The service hears of that later than the caller, and until then goes on.
  const hasEnded = () => world.log.entries.some(({ fields }) => fields?.['method'] === 'NodeStageVolume');
  await expect.poll(hasEnded, { timeout: 20_000 }).toBe(true);
  letGo();
  await expect.poll(targets, { timeout: 20_000 }).toEqual([MOUNT]);
  await succeed(() => stage());
  expect(targets()).toEqual([MOUNT, STAGED]);
});

test('a bind that a death left without its options gets them from the next call', async () => {
  await publish();
  await stage();
  await world.host.files.makeDirectory(TARGET);
  await world.host.mounts.mount({ source: MOUNT, target: TARGET, options: ['bind'], timeoutMs: 1_000 });
  await bind({ readonly: true });
  expect(optionsAt(TARGET)).toEqual(['ro', 'nosuid', 'nodev']);
  expect(await refusalOf(bind({ readonly: false }))).toMatchObject({ code: Status.ALREADY_EXISTS });
});

test('a folder that becomes a symlink while something is mounted on it gets nothing mounted where it leads', async () => {
  await publish();
  await stage();
  world.host.swap(TARGET, '/etc');
  const refusal = await refusalOf(bind());
  expect(refusal).toMatchObject({ code: Status.INVALID_ARGUMENT });
  expect(refusal.details).toContain('has become a symlink');
  expect(targets()).toEqual([MOUNT, STAGED]);
});

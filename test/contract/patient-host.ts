/** A host that gives every program more time: for a machine that is many times slower than those that the limits are made for. */
import type { Host } from '../../src/ports/host.ts';

/** Wraps a host; what is limited to a second is limited to `times` seconds there. */
export function createPatientHost<H extends Host>(host: H, times: number): H {
  const longer = <T extends { readonly timeoutMs: number }>(limited: T): T => ({
    ...limited,
    timeoutMs: limited.timeoutMs * times,
  });
  return {
    ...host,
    run: (command) => host.run(longer(command)),
    mounts: {
      ...host.mounts,
      mount: (request) => host.mounts.mount(longer(request)),
      unmount: (target, options) => host.mounts.unmount(target, longer(options)),
    },
  };
}

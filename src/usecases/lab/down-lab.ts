/** Removes a lab, whatever state it is in and whoever made it. */
import { AppError } from '../../domain/errors.ts';
import type { LabDeps } from './lab-deps.ts';

/**
 * Removes everything of a lab and returns when it is gone. Two at once do no harm to each other.
 *
 * @throws {AppError} notFound, when there is nothing of it; timeout, with what the kernel does not let go of
 */
export async function downLab(deps: LabDeps, name: string): Promise<void> {
  const { store, hardware } = deps;
  const owner = await deps.processes.self();
  const lab = await store.locked(async (records) => {
    const record = await store.read(name);
    // From here on nobody adds to it.
    if (record !== undefined) await records.write({ ...record, phase: 'removing', owner });
    else if ((await store.list()).includes(name)) await records.remove(name);
    else throw new AppError('notFound', `there is no lab ${name}`, { resource: `lab ${name}`, reason: 'LabNotFound' });
    return record;
  });
  if (lab === undefined) return;
  await hardware.clear(lab);
  await store.locked((records) => records.remove(name));
}

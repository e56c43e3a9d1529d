/** Which lab a command is about. */
import { AppError } from '../../../domain/errors.ts';
import type { Lab, Labs } from '../../../usecases/lab/labs.ts';

/** Opens it. @throws {AppError} as {@link chooseName} */
export async function openLab(deps: { readonly labs: Labs }, name: string | undefined): Promise<Lab> {
  return deps.labs.open(await chooseName(deps, name));
}

/** The lab that is meant: the one named, or the only one there is. @throws {AppError} notFound, invalid */
export async function chooseName({ labs }: { readonly labs: Labs }, name: string | undefined): Promise<string> {
  if (name !== undefined) return name;
  const names = (await labs.list()).map((lab) => lab.name);
  const [only, ...others] = names;
  if (only === undefined) {
    throw new AppError('notFound', 'there is no lab on this machine', { hint: 'make one with: holdfast lab up' });
  }
  if (others.length === 0) return only;
  throw new AppError('invalid', `there are several labs on this machine: ${names.join(', ')}`, {
    hint: 'say which with --name',
  });
}

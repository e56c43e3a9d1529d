/** The parameters of a class as its driver would read them, told as a value. */
import type { ClassWish } from '../csi/parameter-table.ts';
import { readParameters } from '../csi/parameters.ts';
import { type Fault, isAppError } from '../errors.ts';

/** Secrets of another driver, and other words for the sidecars of Kubernetes; the driver never sees them. */
const FOR_SIDECARS = /^csi\.storage\.k8s\.io\/(?!fstype$)/;

/** What the class asks for, or everything that is wrong about it. */
export type ClassReading = { readonly wish: ClassWish } | { readonly faults: readonly Fault[] };

/** Reads the parameters of a StorageClass manifest. */
export function readClass(parameters: Readonly<Record<string, string>>): ClassReading {
  const own = Object.fromEntries(Object.entries(parameters).filter(([key]) => !FOR_SIDECARS.test(key)));
  try {
    return { wish: readParameters(own) };
  } catch (error) {
    if (isAppError(error, 'invalid')) return { faults: error.faults };
    throw error;
  }
}

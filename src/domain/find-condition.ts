/** Conditions of any object, by their type. */
import type { Condition } from '../schemas/common.ts';

/** The condition of a type, when the object has one. */
export function findCondition(
  object: { readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined } | undefined,
  type: string,
): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** Writing user-given keys into objects without reaching a prototype. */
import { AppError } from '../../domain/errors.ts';
import type { JsonRecord } from './kube-object.ts';

/** @throws {AppError} invalid, for the key that would change the object's prototype */
export function setKey(target: JsonRecord, key: string, value: unknown): void {
  if (key === '__proto__')
    throw new AppError('invalid', 'the key "__proto__" is not allowed', { reason: 'BadRequest' });
  target[key] = value;
}

/** The object's own value of a key; undefined for everything it only inherits. */
export function ownValue(target: JsonRecord, key: string): unknown {
  return Object.hasOwn(target, key) ? target[key] : undefined;
}

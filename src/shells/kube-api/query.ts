/** Parameters of a request, read strictly: a faulty one is an error and not ignored. */
import { AppError } from '../../domain/errors.ts';
import type { FieldValidation } from '../../usecases/resources/validate-object.ts';
import type { IncludeObject } from './table.ts';

function faulty(name: string, value: string, expected: string): AppError {
  return new AppError('invalid', `parameter ${name}: ${JSON.stringify(value.slice(0, 40))} is not ${expected}`, {
    reason: 'BadRequest',
  });
}

function oneOf<T extends string>(query: URLSearchParams, name: string, values: readonly T[]): T | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  const known = values.find((candidate) => candidate === value);
  if (known === undefined) throw faulty(name, value, `one of ${values.join(', ')}`);
  return known;
}

/** @throws {AppError} invalid */
export function booleanParameter(query: URLSearchParams, name: string): boolean | undefined {
  const value = oneOf(query, name, ['true', 'false', '1', '0']);
  return value === undefined ? undefined : value === 'true' || value === '1';
}

/** A whole number from 0. @throws {AppError} invalid */
export function numberParameter(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (!/^\d{1,9}$/.test(value)) throw faulty(name, value, 'a whole number');
  return Number(value);
}

/** What is done about unknown fields. @throws {AppError} invalid */
export function fieldValidation(query: URLSearchParams): FieldValidation | undefined {
  return oneOf(query, 'fieldValidation', ['Strict', 'Warn', 'Ignore']);
}

/** True for dryRun=All. @throws {AppError} invalid */
export function isDryRun(query: URLSearchParams): boolean {
  return oneOf(query, 'dryRun', ['All']) === 'All';
}

/** What the rows of a table carry. @throws {AppError} invalid */
export function includeObject(query: URLSearchParams): IncludeObject {
  return oneOf(query, 'includeObject', ['None', 'Metadata', 'Object']) ?? 'Metadata';
}

/** Which of the forms that a client accepts the server answers in. */
import { AppError } from '../../domain/errors.ts';

/** 'json': the object itself. 'table': rows as kubectl prints them. 'discovery': all groups at once. */
export type AnswerForm = 'json' | 'table' | 'discovery';

/**
 * The first accepted form that the server has.
 *
 * @param offered - forms that make sense for this answer, besides plain JSON
 * @throws {AppError} unsupported with reason NotAcceptable, such as for protobuf alone, to which clients have a fallback
 */
export function parseAccept(header: string | undefined, offered: readonly AnswerForm[] = []): AnswerForm {
  if (header === undefined || header.trim() === '') return 'json';
  for (const range of header.split(',')) {
    const form = formOf(range);
    if (form === 'json' || (form !== undefined && offered.includes(form))) return form;
  }
  throw new AppError('unsupported', `none of the accepted media types is served: ${header.slice(0, 200)}`, {
    reason: 'NotAcceptable',
    hint: 'accept application/json',
  });
}

function formOf(range: string): AnswerForm | undefined {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') return undefined;
  const values = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
  if (values.get('q') === '0') return undefined;
  const as = values.get('as');
  if (as === undefined) return 'json';
  if (as === 'table' && values.get('g') === 'meta.k8s.io' && values.get('v') === 'v1') return 'table';
  if (as === 'apigroupdiscoverylist' && values.get('v') === 'v2') return 'discovery';
  return undefined;
}

/** The token with which a list in pages goes on. */
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';

const ContinueToken = z.strictObject({
  /** Revision of the first page; a watch from it misses nothing of any page. */
  revision: z.int().min(0),
  namespace: z.string(),
  name: z.string(),
});
export type ContinueToken = z.infer<typeof ContinueToken>;

/** Writes a token; opaque to clients. */
export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** @throws {AppError} invalid with reason BadRequest, when the text is no token of ours */
export function decodeContinue(text: string): ContinueToken {
  try {
    return ContinueToken.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (cause) {
    throw new AppError('invalid', 'the continue token is not valid; list again from the start', {
      reason: 'BadRequest',
      cause,
    });
  }
}

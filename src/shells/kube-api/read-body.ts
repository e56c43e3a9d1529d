/** Reads the body of a request, within bounds. */
import type { IncomingMessage } from 'node:http';
import { AppError, messageOf } from '../../domain/errors.ts';

/** As the real API server: larger objects do not belong into it. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/**
 * Reads a JSON body; undefined when it is empty.
 *
 * @param maxBytes - as the real API server takes for an object, when left out
 * @throws {AppError} invalid, when it is too large, cut off or no JSON
 */
export async function readJsonBody(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('invalid', `the body was cut off: ${messageOf(error)}`, { reason: 'BadRequest', cause: error });
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw new AppError('invalid', `the body is not JSON: ${messageOf(cause)}`, { reason: 'BadRequest', cause });
  }
}

/** The media type of a body without its parameters, in small letters. */
export function contentType(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('invalid', `the body is larger than ${maxBytes / 1024 / 1024} MiB`, {
    reason: 'RequestEntityTooLarge',
  });
}

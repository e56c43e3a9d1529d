/** Cuts a stream of bytes into lines. */
import { AppError } from '../../domain/errors.ts';

/**
 * The lines of a stream, without their ends and without empty ones; a last line that was cut off in the middle is left
 * out, since half an object says nothing.
 *
 * @param maxBytes - longest line; a longer one would only fill the memory
 * @throws {AppError} internal, for a line above `maxBytes`
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a, start); end !== -1; end = chunk.indexOf(0x0a, start)) {
      // Joined as bytes before decoding: a character may be split between two chunks.
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8');
      parts = [];
      size = 0;
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    size += chunk.length - start;
    if (size > maxBytes) throw new AppError('internal', `the API server sent a line of more than ${maxBytes} bytes`);
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}

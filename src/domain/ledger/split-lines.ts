/** Cuts a stream of bytes into lines, holding no more than one line in memory. */

export interface LineSplitter {
  /** Takes the next bytes and hands on each line that they end. */
  push(chunk: Uint8Array): void;
  /** Hands on what stands behind the last newline, if anything does. */
  end(): void;
}

const NEWLINE = 0x0a;

/**
 * @param onLine - gets each line without its newline, and whether a newline ended it. A byte outside ASCII becomes some
 *   character outside ASCII. A line longer than `maxBytes` comes as undefined: its text is not kept
 */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: string | undefined, isEnded: boolean) => void,
): LineSplitter {
  // One character per byte, so that no two different lines of bytes can become the same text by decoding.
  const decoder = new TextDecoder('latin1');
  let parts: Uint8Array[] = [];
  let length = 0;

  const keep = (part: Uint8Array): void => {
    length += part.length;
    // A copy: the caller may use the chunk's memory again.
    if (length <= maxBytes) parts.push(part.slice());
    else parts = [];
  };
  const handOn = (isEnded: boolean): void => {
    const line = length > maxBytes ? undefined : parts.map((part) => decoder.decode(part)).join('');
    parts = [];
    length = 0;
    onLine(line, isEnded);
  };

  return {
    push: (chunk) => {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end));
        handOn(true);
        start = end + 1;
      }
      if (start < chunk.length) keep(chunk.subarray(start));
    },
    end: () => {
      if (length > 0) handOn(false);
    },
  };
}

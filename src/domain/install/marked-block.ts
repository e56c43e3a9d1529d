/** A part of a configuration file that Holdfast keeps, between two marks; all other lines are somebody else's. */

const BEGIN = '# BEGIN holdfast (written by holdfast install; changes in here are lost)';
const END = '# END holdfast';

/**
 * The text with exactly these lines between the marks: at the place of an earlier block, or at the end.
 * Without lines the block goes away.
 */
export function withBlock(text: string, lines: readonly string[]): string {
  const kept: string[] = [];
  let place: number | undefined;
  let isInside = false;
  const all = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  // A begin without an end would swallow the rest of the file: then only the mark itself is taken away.
  const hasEnd = all.lastIndexOf(END) > all.lastIndexOf(BEGIN);
  for (const line of all) {
    if (line === BEGIN) {
      place ??= kept.length;
      isInside = hasEnd;
    } else if (line === END) isInside = false;
    else if (!isInside) kept.push(line);
  }
  const block = lines.length === 0 ? [] : [BEGIN, ...lines, END];
  const result = kept.toSpliced(place ?? kept.length, 0, ...block);
  return result.length === 0 ? '' : `${result.join('\n')}\n`;
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { arrange } from './arrange.ts';
import { shapeOfKind } from './field-table.ts';
import { readOutline } from './outline.ts';
import { printOutline } from './print-outline.ts';

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const words = fc.oneof(
  word,
  fc.string({ maxLength: 20 }),
  fc.constantFrom(
    'one\n two: 2\n\n- three\n',
    'a "long" text: of words, that is folded',
    'many plain words that are folded too',
  ),
);
const container = fc.record({
  name: word,
  image: word,
  args: fc.array(words, { minLength: 1, maxLength: 3 }),
  env: fc.array(fc.record({ name: word, value: words }), { minLength: 1, maxLength: 2 }),
  volumeMounts: fc.array(fc.record({ name: word, mountPath: word }), { minLength: 1, maxLength: 2 }),
});
const pod = fc.record({
  apiVersion: fc.constant('v1'),
  kind: fc.constant('Pod'),
  metadata: fc.record({ name: word, labels: fc.dictionary(word, word, { minKeys: 1, maxKeys: 3 }) }),
  spec: fc.record({
    containers: fc.array(container, { minLength: 1, maxLength: 2 }),
    volumes: fc.array(fc.record({ name: word, persistentVolumeClaim: fc.record({ claimName: word }) }), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
});

test('what YAML reads is left as it is, however it is indented', () => {
  fc.assert(
    fc.property(
      pod,
      fc.integer({ min: 1, max: 6 }),
      fc.boolean(),
      fc.constantFrom(0, 25),
      (value, indent, indentSeq, lineWidth) => {
        const text = stringify(value, { indent, indentSeq, lineWidth, minContentWidth: 5 });
        const { lines, rest } = readOutline(text);
        const arranged = arrange(lines, shapeOfKind('Pod'));
        expect(arranged).toMatchObject({ ok: true, moves: [] });
        if (arranged.ok) expect(parse(printOutline(arranged.top, rest).text)).toEqual(parse(text));
      },
    ),
    { numRuns: 50 },
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

// "__proto__" is refused by all patches (tested below), so it stays out of the arbitrary documents.
const key = fc.string({ maxLength: 4 }).filter((text) => text !== '__proto__' && !text.startsWith('$'));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4 }),
  ),
}));
const record = fc.dictionary(key, json, { maxKeys: 4 });

describe('merge patch', () => {
  // The table of RFC 7396, appendix A.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('%s with %s is %s', (target, patch, result) => {
    expect(applyMergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result));
  });

  test('done twice is done once, and changes neither input', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const [before, given] = [structuredClone(target), structuredClone(patch)];
        const once = applyMergePatch(target, patch);
        expect(applyMergePatch(once, patch)).toEqual(once);
        expect([target, patch]).toEqual([before, given]);
      }),
    );
  });
});

describe('JSON patch', () => {
  test.each<[string, unknown, object[], unknown]>([
    ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    ['adds into a list', { foo: ['a', 'c'] }, [{ op: 'add', path: '/foo/1', value: 'b' }], { foo: ['a', 'b', 'c'] }],
    ['adds behind a list', { foo: ['a'] }, [{ op: 'add', path: '/foo/-', value: ['b'] }], { foo: ['a', ['b']] }],
    ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    ['removes from a list', { a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
    ['replaces', { a: [1, 2] }, [{ op: 'replace', path: '/a/0', value: null }], { a: [null, 2] }],
    ['replaces everything', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    [
      'tests and escapes',
      { 'a/b': 1, 'm~n': 2 },
      [
        { op: 'test', path: '/a~1b', value: 1 },
        { op: 'remove', path: '/m~0n' },
      ],
      { 'a/b': 1 },
    ],
  ])('%s', (_what, document, operations, result) => {
    expect(applyJsonPatch(document, operations)).toEqual(result);
  });

  test.each<[string, object[], string]>([
    ['a missing target', [{ op: 'remove', path: '/x' }], 'operation 0 (remove /x): there is no "x"'],
    ['a missing parent', [{ op: 'add', path: '/x/y', value: 1 }], 'there is no "x"'],
    ['an index beyond the list', [{ op: 'add', path: '/list/3', value: 1 }], 'no index "3" in a list of 2'],
    ['a leading zero', [{ op: 'remove', path: '/list/01' }], 'no index "01"'],
    ['a failing test', [{ op: 'test', path: '/a', value: 2 }], 'the value is 1'],
    [
      'a later failure',
      [
        { op: 'add', path: '/b', value: 1 },
        { op: 'remove', path: '/x' },
      ],
      'operation 1',
    ],
    ['no value', [{ op: 'add', path: '/b' }], '"value" is missing'],
    ['a move into itself', [{ op: 'move', from: '/list', path: '/list/0' }], 'into itself'],
    ['an unknown operation', [{ op: 'frob', path: '/a' }], 'malformed JSON patch at 0/op'],
    ['a path without a slash', [{ op: 'remove', path: 'a' }], 'a path begins with "/"'],
  ])('refuses %s and changes nothing', (_what, operations, message) => {
    const document = { a: 1, list: [1, 2] };
    expect(() => applyJsonPatch(document, operations)).toThrow(message);
    expect(document).toEqual({ a: 1, list: [1, 2] });
  });

  test('an added member can be removed again', () => {
    fc.assert(
      fc.property(record, key, json, (document, name, value) => {
        const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const added = applyJsonPatch(document, [{ op: 'add', path: pointer, value }]);
        expect(added).toEqual({ ...document, [name]: value });
        const { [name]: _gone, ...rest } = document;
        expect(applyJsonPatch(added, [{ op: 'remove', path: pointer }])).toEqual(rest);
      }),
    );
  });
});

describe('strategic merge patch', () => {
  const service = { metadata: { finalizers: ['a'] }, spec: { ports: [{ port: 1, name: 'x' }, { port: 2 }] } };
  test.each<[string, object, object]>([
    [
      'merges lists by key',
      { spec: { ports: [{ port: 2, name: 'y' }, { port: 3 }] } },
      [{ port: 1, name: 'x' }, { port: 2, name: 'y' }, { port: 3 }],
    ],
    ['deletes by key', { spec: { ports: [{ $patch: 'delete', port: 1 }] } }, [{ port: 2 }]],
    ['replaces a list', { spec: { ports: [{ $patch: 'replace' }, { port: 9 }] } }, [{ port: 9 }]],
    [
      'orders',
      { spec: { '$setElementOrder/ports': [{ port: 2 }, { port: 1 }] } },
      [{ port: 2 }, { port: 1, name: 'x' }],
    ],
    ['replaces an object', { spec: { $patch: 'replace', ports: [{ port: 7 }] } }, [{ port: 7 }]],
    [
      'keeps only some keys',
      { spec: { $retainKeys: ['ports'], ports: [{ port: 2, name: 'z' }] } },
      [
        { port: 1, name: 'x' },
        { port: 2, name: 'z' },
      ],
    ],
  ])('%s', (_what, patch, ports) => {
    expect(applyStrategicMergePatch(service, patch)).toMatchObject({ spec: { ports } });
  });

  test('treats finalizers as a set', () => {
    const patch = { metadata: { finalizers: ['a', 'b'], '$deleteFromPrimitiveList/finalizers': ['a'] } };
    expect(applyStrategicMergePatch(service, patch)).toMatchObject({ metadata: { finalizers: ['b'] } });
  });

  test('replaces other lists whole', () => {
    const before = { spec: { accessModes: ['ReadWriteOnce'] } };
    expect(applyStrategicMergePatch(before, { spec: { accessModes: ['ReadWriteMany'] } })).toEqual({
      spec: { accessModes: ['ReadWriteMany'] },
    });
  });

  test.each([
    ['an item without its key', { spec: { ports: [{ name: 'x' }] } }],
    ['an order that is no list', { spec: { '$setElementOrder/ports': 1 } }],
    ['a deletion that is no list', { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } }],
    ['no object', []],
  ])('refuses %s', (_what, patch) => {
    expect(() => applyStrategicMergePatch(service, patch)).toThrow(/malformed strategic merge patch/);
  });

  test('without lists and directives it is a merge patch', () => {
    const plain = fc.dictionary(key, fc.oneof(fc.string(), fc.constant(null), fc.dictionary(key, fc.string())));
    fc.assert(
      fc.property(plain, plain, (target, patch) => {
        expect(applyStrategicMergePatch(target, patch)).toEqual(applyMergePatch(target, patch));
      }),
    );
  });
});

test('no patch reaches a prototype', () => {
  const patch = JSON.parse('{"__proto__":{"polluted":true}}');
  expect(() => applyMergePatch({}, patch)).toThrow(/__proto__/);
  expect(() => applyStrategicMergePatch({}, patch)).toThrow(/__proto__/);
  const operations = [{ op: 'add', path: '/__proto__', value: { polluted: true } }];
  expect(() => applyJsonPatch({}, operations)).toThrow(/__proto__/);
  expect(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }])).toThrow(
    /no "constructor"/,
  );
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

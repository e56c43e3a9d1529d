import { describe, expect, test } from 'vitest';
import type { KubeObject } from './kube-object.ts';
import { parseSelectors } from './selectors.ts';

const object = {
  apiVersion: 'v1',
  kind: 'K',
  metadata: { name: 'x', namespace: 'n', labels: { app: 'db', 'holdfast.dev/zone': 'a', empty: '' } },
  spec: { node: 'kube1', count: 3, on: true, odd: 'a,b=c', deep: { path: 'p' } },
} as unknown as KubeObject;

describe('label selector', () => {
  test.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['missing', false],
    ['!missing', true],
    ['app=db', true],
    ['app==db', true],
    ['app!=db', false],
    ['missing!=x', true],
    ['app = db , holdfast.dev/zone=a', true],
    ['app=db,holdfast.dev/zone=b', false],
    ['app in (web, db)', true],
    ['app in (web)', false],
    ['app notin (web),app', true],
    ['missing notin (a)', true],
    ['empty=', true],
    ['toString', false],
  ])('%j: %s', (selector, expected) => {
    expect(parseSelectors(selector, undefined).matches(object)).toBe(expected);
  });

  test.each(['a b', '=x', 'app=a b', 'app in db', 'app in (a b)', 'app=b=c', '-x', 'a/b/c', ','])(
    'refuses %j',
    (selector) => {
      expect(() => parseSelectors(selector, undefined)).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
    },
  );
});

describe('field selector', () => {
  test.each([
    ['metadata.name=x', true],
    ['metadata.namespace==n', true],
    ['metadata.name!=x', false],
    ['spec.node=kube1,spec.count=3', true],
    ['spec.on=true', true],
    ['spec.missing=', true],
    ['spec.missing!=a', true],
    ['spec.deep.path=p', true],
    ['spec.deep=p', false],
    ['spec.odd=a\\,b\\=c', true],
    ['spec.toString=', true],
  ])('%j: %s', (selector, expected) => {
    expect(parseSelectors(undefined, selector).matches(object)).toBe(expected);
  });

  test.each(['spec', 'spec.node', 'a b=c', '=x', 'spec[0]=a', '..=a'])('refuses %j', (selector) => {
    expect(() => parseSelectors(undefined, selector)).toThrow(expect.objectContaining({ reason: 'BadRequest' }));
  });
});

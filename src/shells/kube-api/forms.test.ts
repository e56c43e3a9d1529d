/** The small pure parts of the server: paths, media types, tables, ages, documents, failures. */
import { describe, expect, test } from 'vitest';
import { AppError, type ErrorKind } from '../../domain/errors.ts';
import { EMBEDDED_KINDS, KINDS, type KindDefinition } from '../../schemas/kinds.ts';
import { isOwnKind, type KubeObject } from '../../usecases/resources/kube-object.ts';
import { aggregatedDiscovery, resourceList } from './discovery.ts';
import { humanDuration } from './human-duration.ts';
import { findValues, parseJsonPath } from './json-path.ts';
import { createOpenApi } from './openapi.ts';
import { type AnswerForm, parseAccept } from './parse-accept.ts';
import { parseTarget, splitPath } from './parse-path.ts';
import { toStatus } from './status.ts';
import { renderTable } from './table.ts';

test.each([
  ['/api/v1/namespaces', { kind: 'Namespace' }],
  ['/api/v1/namespaces/a', { kind: 'Namespace', name: 'a' }],
  ['/api/v1/namespaces/a/status', { kind: 'Namespace', name: 'a', subresource: 'status' }],
  ['/api/v1/namespaces/a/events', { kind: 'Event', namespace: 'a' }],
  ['/api/v1/namespaces/a/events/b', { kind: 'Event', namespace: 'a', name: 'b' }],
  ['/api/v1/events', { kind: 'Event' }],
  ['/apis/holdfast.dev/v1alpha1/volumes/gv0/status', { kind: 'Volume', name: 'gv0', subresource: 'status' }],
  ['/apis/holdfast.dev/v1alpha1/volumes/a%2Fb', { kind: 'Volume', name: 'a/b' }],
  ['/api/v1/events/b', undefined],
  ['/apis/holdfast.dev/v1/volumes', undefined],
  ['/apis/holdfast.dev/v1alpha1/namespaces/a/volumes', undefined],
  ['/apis/holdfast.dev/v1alpha1/volumes/a/scale', undefined],
  ['/apis/coordination.k8s.io/v1/namespaces/a/leases/b/status', undefined],
  ['/apis/holdfast.dev/v1alpha1/volumes/a/status/b', undefined],
  ['/other', undefined],
])('path %s', (path, expected) => {
  const target = parseTarget(splitPath(path));
  expect(target && JSON.parse(JSON.stringify(target))).toEqual(expected);
});

test.each<[string | undefined, AnswerForm[], AnswerForm]>([
  [undefined, [], 'json'],
  ['*/*', [], 'json'],
  ['application/json', ['table'], 'json'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', ['table'], 'table'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', [], 'json'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', ['table'], 'json'],
  ['application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json', ['discovery'], 'discovery'],
  ['application/vnd.kubernetes.protobuf,application/json', [], 'json'],
])('accept %s of %j is %s', (header, offered, form) => {
  expect(parseAccept(header, offered)).toBe(form);
});

test.each(['application/vnd.kubernetes.protobuf', 'text/html', 'application/json;q=0'])(
  'accept %s is refused',
  (header) => {
    expect(() => parseAccept(header)).toThrow(expect.objectContaining({ reason: 'NotAcceptable' }));
  },
);

test.each([
  [-5_000, '<invalid>'],
  [-1_000, '0s'],
  [0, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [150_000, '2m30s'],
  [600_000, '10m'],
  [179 * 60_000, '179m'],
  [3 * 3_600_000, '3h'],
  [3.5 * 3_600_000, '3h30m'],
  [47 * 3_600_000, '47h'],
  [48 * 3_600_000, '2d'],
  [50 * 3_600_000, '2d2h'],
  [400 * 86_400_000, '400d'],
  [800 * 86_400_000, '2y70d'],
  [9 * 365 * 86_400_000, '9y'],
])('%d ms are %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

describe('JSONPath', () => {
  const root = {
    a: {
      b: [
        { t: 'x', v: 1 },
        { t: 'y', v: 2 },
      ],
      'c-d': null,
    },
  };
  test.each([
    ['.a.b[0].v', [1]],
    ['.a.b[*].v', [1, 2]],
    ['.a.b[?(@.t=="y")].v', [2]],
    [".a.b[?(@.t=='x')].v", [1]],
    ['.a.b[?(@.t=="z")].v', []],
    ['.a.b[7]', []],
    ['.a.c-d', [null]],
    ['.a.toString', []],
    ['.x.y', []],
  ])('%s', (path, values) => {
    expect(findValues(root, parseJsonPath(path))).toEqual(values);
  });
  test.each(['a', '..a', '.a[', '.a[?(@.b>1)]', '{.a}'])('%s is not taken', (path) => {
    expect(() => parseJsonPath(path)).toThrow(/unsupported JSONPath/);
  });
});

test('a table has a cell per column, joined where there are several values', () => {
  const volume = {
    ...{ apiVersion: 'holdfast.dev/v1alpha1', kind: 'Volume' },
    metadata: { name: 'gv0', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { size: '1Gi' },
    status: { placement: [{ node: 'n1' }, { node: 'n2' }], conditions: [{ type: 'Ready', status: 'True' }] },
  } as unknown as KubeObject;
  const options = { includeObject: 'None' as const, now: Date.UTC(2026, 0, 1, 1), metadata: { resourceVersion: '7' } };
  expect(renderTable('Volume', [volume], options)).toMatchObject({
    metadata: { resourceVersion: '7' },
    rows: [{ cells: ['gv0', null, '1Gi', null, 'True', null, 'n1,n2', null, '60m'] }],
  });
});

const names = EMBEDDED_KINDS.map(([kind]) => kind);

test.each(names)('%s is in both forms of discovery and in the OpenAPI document of its group', (kind) => {
  const definition: KindDefinition = KINDS[kind];
  const { group, version, plural } = definition;
  const legacy = resourceList(group, version) as { resources: { name: string }[] };
  expect(legacy.resources.map((resource) => resource.name)).toContain(plural);
  const aggregated = aggregatedDiscovery(group === '' ? 'api' : 'apis');
  expect(JSON.stringify(aggregated)).toContain(`"resource":"${plural}"`);
  const path = group === '' ? `api/${version}` : `apis/${group}/${version}`;
  const openApi = createOpenApi('1.0');
  expect(openApi.index()).toMatchObject({ paths: { [path]: { serverRelativeURL: expect.stringContaining(path) } } });
  const document = JSON.parse(openApi.document(path) ?? '{}');
  const schemas: object[] = Object.values(document.components.schemas);
  expect(schemas).toContainEqual(
    expect.objectContaining({ 'x-kubernetes-group-version-kind': [{ group, version, kind }] }),
  );
});

test('every field of the specs and statuses of our kinds is described', () => {
  const document = JSON.parse(createOpenApi('1.0').document('apis/holdfast.dev/v1alpha1') ?? '{}');
  const silent = names
    .filter((name) => isOwnKind(KINDS[name]))
    .flatMap((kind) => {
      const { properties } = document.components.schemas[`dev.holdfast.v1alpha1.${kind}`];
      const fields = { ...properties.spec.properties, ...properties.status.properties };
      return Object.keys(fields).flatMap((field) =>
        fields[field].description === undefined ? [`${kind} ${field}`] : [],
      );
    });
  expect(silent).toEqual([]);
});

test.each<[ErrorKind, string | undefined, number, string]>([
  ['invalid', 'Invalid', 422, 'Invalid'],
  ['invalid', undefined, 400, 'BadRequest'],
  ['notFound', undefined, 404, 'NotFound'],
  ['exists', undefined, 409, 'AlreadyExists'],
  ['conflict', undefined, 409, 'Conflict'],
  ['conflict', 'Expired', 410, 'Expired'],
  ['denied', 'Forbidden', 403, 'Forbidden'],
  ['denied', 'Unauthorized', 401, 'Unauthorized'],
  ['unsupported', 'UnsupportedMediaType', 415, 'UnsupportedMediaType'],
  ['unavailable', 'StoreFailed', 503, 'ServiceUnavailable'],
  ['internal', undefined, 500, 'InternalError'],
])('%s with reason %s is %d %s', (kind, reason, code, shown) => {
  const error = new AppError(kind, 'what', { ...(reason === undefined ? {} : { reason }), hint: 'next' });
  const answer = toStatus(error, { kind: 'Volume', name: 'gv0' });
  expect(answer).toMatchObject({
    code,
    body: {
      code,
      reason: shown,
      message: 'what (next)',
      details: { name: 'gv0', group: 'holdfast.dev', kind: 'volumes' },
    },
  });
});

test('a bug shows nothing of itself', () => {
  expect(JSON.stringify(toStatus(new Error('secret path')))).not.toContain('secret');
});

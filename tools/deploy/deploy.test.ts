import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KINDS } from '../../src/schemas/kinds.ts';
import { GROUP } from '../../src/schemas/own-kind.ts';
import { ROOT } from '../project.ts';
import { customResourceDefinitions } from './crds.ts';
import { generateDeploy } from './generated-files.ts';

test('deploy/ is as the program is; if not: node tools/deploy/index.ts', () => {
  for (const { path, text } of generateDeploy()) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(text);
});

test('every field has a type, or says that it has none', () => {
  const untyped: string[] = [];
  const look = (node: Readonly<Record<string, unknown>>, path: string): void => {
    if (node['type'] === undefined && node['x-kubernetes-preserve-unknown-fields'] !== true) untyped.push(path);
    for (const [name, field] of Object.entries(node['properties'] ?? {})) look(field as never, `${path}.${name}`);
    for (const key of ['items', 'additionalProperties'])
      if (node[key] !== undefined) look(node[key] as never, `${path}[]`);
  };
  const definitions = customResourceDefinitions() as readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: never } }[] };
  }[];
  for (const { metadata, spec } of definitions) {
    for (const version of spec.versions) look(version.schema.openAPIV3Schema, metadata.name);
  }
  expect(definitions).toHaveLength(Object.values(KINDS).filter(({ group }) => group === GROUP).length);
  expect(untyped).toEqual([]);
});

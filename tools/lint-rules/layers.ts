/** Which layer of src/ may import what: the one table behind the picture in CONTRIBUTING.md. */
import { dirname, join } from 'node:path/posix';
import { type AstNode, isTestFile, type LintRule, literalText, pathInSource, type RuleContext } from './ast.ts';

interface Layer {
  /** Layers it may import values and types from, besides itself. */
  readonly from: readonly string[];
  /** Layers it may import types from: they vanish when the program runs. */
  readonly typesFrom?: readonly string[];
  /** Node's own modules it may import: all, none, or these. */
  readonly node: 'any' | readonly string[];
  /** npm packages it may import: any, or these. */
  readonly packages: 'any' | readonly string[];
}

/** Pure functions, the same on every machine. */
const PURE_NODE = ['node:path', 'node:path/posix', 'node:util'];

export const LAYERS: Readonly<Record<string, Layer>> = {
  domain: { from: [], typesFrom: ['schemas'], node: [], packages: [] },
  schemas: { from: ['domain'], node: [], packages: ['zod', 'yaml'] },
  ports: { from: ['domain', 'schemas'], node: [], packages: [] },
  usecases: { from: ['domain', 'schemas', 'ports'], node: PURE_NODE, packages: ['zod'] },
  controllers: { from: ['domain', 'schemas', 'ports', 'usecases'], node: PURE_NODE, packages: ['zod'] },
  engines: { from: ['domain', 'schemas', 'ports'], node: PURE_NODE, packages: 'any' },
  adapters: { from: ['domain', 'schemas', 'ports'], node: 'any', packages: 'any' },
  // Generated; only the edge that speaks a protocol knows its messages.
  gen: { from: [], node: [], packages: ['@bufbuild/protobuf', 'nice-grpc-common'] },
  shells: { from: ['domain', 'schemas', 'ports', 'usecases', 'controllers', 'gen'], node: 'any', packages: 'any' },
  main: {
    from: ['domain', 'schemas', 'ports', 'usecases', 'controllers', 'engines', 'adapters', 'shells'],
    node: 'any',
    packages: 'any',
  },
};

/** The one file of the product that starts processes, so that one place decides on argv, timeouts and process groups. */
const PROCESS_STARTER = 'adapters/host/run.ts';

/** The folders of src/engines that are no engines: what several of them do in the same way. */
const SHARED_BY_ENGINES = ['image', 'mount'];

/** Why `file` (a path below src/) must not import `source`, or undefined when it may. */
export function layerFault(file: string, source: string, isTypeOnly: boolean): string | undefined {
  const name = file.split('/')[0] ?? '';
  const layer = LAYERS[name];
  if (layer === undefined) return `src/${name} is no layer; the layers are ${Object.keys(LAYERS).join(', ')}`;
  if (source.startsWith('.')) return relativeFault(file, source, layer, isTypeOnly);
  if (source.startsWith('node:')) return nodeFault(file, name, layer, source);
  const packageName = source
    .split('/')
    .slice(0, source.startsWith('@') ? 2 : 1)
    .join('/');
  if (layer.packages === 'any' || layer.packages.includes(packageName)) return undefined;
  return `${name} must not import the package ${packageName}; give it a port and import the package in an adapter`;
}

function relativeFault(file: string, source: string, layer: Layer, isTypeOnly: boolean): string | undefined {
  const [name = '', part] = file.split('/');
  if (isForTests(source) && !isForTests(file)) return `what runs must not import ${source}, which is for tests`;
  const target = join(dirname(file), source);
  const [targetLayer = '', targetPart] = target.split('/');
  if (targetLayer === '..') return outsideFault(name, target);
  if (targetLayer === name) return name === 'engines' ? engineFault(part, targetPart) : undefined;
  const allowed = isTypeOnly ? [...layer.from, ...(layer.typesFrom ?? [])] : layer.from;
  if (allowed.includes(targetLayer)) return undefined;
  return `${name} must not import ${targetLayer}; it may import ${[name, ...layer.from].join(', ')}`;
}

function engineFault(part: string | undefined, target: string | undefined): string | undefined {
  const shared = target !== undefined && SHARED_BY_ENGINES.includes(target);
  return part === target || shared ? undefined : 'an engine must not import another engine';
}

/** Fakes and contracts stand beside the ports they are for. */
function isForTests(path: string): boolean {
  return /\.(?:fake|contract|test)\.ts$/.test(path);
}

/** package.json is the one source of the version. */
function outsideFault(name: string, target: string): string | undefined {
  if (name === 'main' && target === '../package.json') return undefined;
  return `src/ must not import ${target.slice('../'.length)}, which is outside it`;
}

function nodeFault(file: string, name: string, layer: Layer, source: string): string | undefined {
  if (source === 'node:child_process') {
    return file === PROCESS_STARTER ? undefined : `only src/${PROCESS_STARTER} starts processes; use the Host port`;
  }
  if (layer.node === 'any' || layer.node.includes(source)) return undefined;
  return `${name} must not import ${source}; take a port and leave the work to an adapter`;
}

function isTypeImport(node: AstNode): boolean {
  if (node.importKind === 'type' || node.exportKind === 'type') return true;
  const specifiers = node.specifiers ?? [];
  return specifiers.length > 0 && specifiers.every((each) => each.importKind === 'type' || each.exportKind === 'type');
}

export const layers: LintRule = {
  create(context: RuleContext) {
    const file = pathInSource(context.filename);
    // Tests wire things together as main does; what the product imports is what counts.
    if (file === undefined || isTestFile(context.filename)) return {};
    const checkSource = (node: AstNode, source: string | undefined, isTypeOnly: boolean): void => {
      const fault = source === undefined ? undefined : layerFault(file, source, isTypeOnly);
      if (fault !== undefined) context.report({ node, message: fault });
    };
    const check = (node: AstNode): void => checkSource(node, literalText(node.source), isTypeImport(node));
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      // import('...').X in the place of a type
      TSImportType: (node) => checkSource(node, literalText(node.source), true),
    };
  },
};

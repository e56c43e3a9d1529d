/** Every command line of the documentation, run as it stands there, in the order of its page, in a lab of four nodes. */
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CommandResult } from '../../src/ports/host.ts';
import { LAB_DATA_DISK } from '../../src/ports/lab.ts';
import { applyPlan } from '../../src/usecases/plan/apply-plan.ts';
import { type Page, readPages, wordsOf } from '../docs/command-lines.ts';
import { PAGES, type PageRun, PLAN } from '../docs/pages.ts';
import { type Product, startProduct } from './product-fixture.ts';

/** Not kube4: a page asks what it would bring. */
const NODES = ['kube1', 'kube2', 'kube3', 'kube5'] as const;
const ZONES = ['east', 'east', 'west', 'west'] as const;
const PROGRAM = join(import.meta.dirname, '../../bin/holdfast.mjs');
const EXIT_CODES = Array.from({ length: 256 }, (_, code) => code);
const GIB = 1024 ** 3;

const run = readPages().filter(({ path }) => PAGES[path] !== undefined);

let product: Product;
beforeAll(async () => {
  // Sparse: the pages speak of hundreds of gigabytes.
  product = await startProduct({ name: 'docs', nodes: NODES, dataDiskBytes: 512 * GIB });
  await symlink(PROGRAM, join(product.folder, 'kismatic'));
});
afterAll(() => product.remove());

describe('the commands of', () => {
  it.each(run)('$path', async (page) => {
    const situation = PAGES[page.path] ?? {};
    await prepare(situation);
    expect(await follow(page, situation)).toEqual([]);
    await tidy();
  });
});

describe('the document "Kismatic and Persistent Storage"', () => {
  const LINE = 'kismatic volume add 10 storage01 -r 2 -d 1 -a 10.10.*.*';
  const CLASS = 'volume.beta.kubernetes.io/storage-class';

  it('makes its volume by its own line, which its claim fits, and again when it was deleted', async () => {
    await prepare({ files: { 'kismatic-cluster.yaml': PLAN } });
    expect(await follow({ path: 'the document', lines: [LINE] }, {})).toEqual([]);
    const claim = await readClaim();
    const registered = await product.client.get('PersistentVolume', 'storage01');
    expect(registered?.metadata.annotations?.[CLASS]).toBe(claim.metadata.annotations[CLASS]);
    expect(registered?.spec).toMatchObject({
      accessModes: claim.spec.accessModes,
      capacity: claim.spec.resources.requests,
    });
    const again = ['kismatic volume delete storage01 --force', LINE, 'kismatic volume delete storage01 --force'];
    expect(await follow({ path: 'the document', lines: again }, {})).toEqual([]);
  });
});

interface Claim {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: { readonly accessModes: readonly string[]; readonly resources: { readonly requests: object } };
}

async function readClaim(): Promise<Claim> {
  return parse(await readFile(join(import.meta.dirname, 'fixtures/kismatic-claim.yaml'), 'utf8')) as Claim;
}

const { signal } = new AbortController();

async function prepare({ volumes = [], files = {} }: PageRun): Promise<void> {
  await applyPlan({ client: product.client }, { storage: { nodes: planNodes() }, volumes: [...volumes] }, { signal });
  for (const { name, mount } of volumes) {
    await product.redundant(name);
    if (mount !== undefined) await product.mounted(name, NODES);
  }
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(product.folder, name), text === PLAN ? await planOfLab() : text);
  }
}

function planNodes() {
  return NODES.map((host, at) => ({
    ...{ host, ip: product.lab.addressOf(host), zone: ZONES[at] ?? 'none' },
    pools: [{ name: 'default', path: product.pool, device: LAB_DATA_DISK }],
  }));
}

async function planOfLab(): Promise<string> {
  return (await product.cli('plan', 'export')).stdout;
}

/** The first line that ends otherwise than its page says; nothing when none does. */
async function follow({ lines }: Page, { codes = {}, notRun = {}, filled = {} }: PageRun): Promise<readonly object[]> {
  for (const line of lines.filter((each) => notRun[each] === undefined)) {
    const { code, stdout, stderr } = await type(line);
    // What comes after rests on it.
    if (code !== (codes[line] ?? 0)) return [{ line, code, stdout, stderr }];
    const file = filled[line];
    if (file !== undefined) await writeFile(join(product.folder, file), await planOfLab());
  }
  return [];
}

/** As written, but that questions are answered: nobody is there to be asked. */
function type(line: string): Promise<CommandResult> {
  const [program = '', ...words] = wordsOf(line);
  const { folder, kubeconfig } = product;
  const node = (script: string, args: readonly string[]) => ({ file: process.execPath, args: [script, ...args] });
  const command =
    program === 'holdfast'
      ? node(PROGRAM, [...words, '--yes'])
      : program === 'kismatic'
        ? node(join(folder, 'kismatic'), words)
        : { file: program, args: words };
  return product.composed.machine.run({
    ...command,
    cwd: folder,
    env: { HOLDFAST_KUBECONFIG: kubeconfig, KUBECONFIG: kubeconfig },
    okCodes: EXIT_CODES,
    timeoutMs: 150_000,
  });
}

/** The next page begins with nothing. */
async function tidy(): Promise<void> {
  const { client } = product;
  for (const node of NODES) await client.patch('StorageNode', node, { spec: { isDraining: null, isCordoned: null } });
  for (const kind of ['VolumeAttachmentRecord', 'VolumeSnapshotRecord', 'Volume', 'PersistentVolume'] as const) {
    for (const { metadata } of (await client.list(kind)).items) await client.delete(kind, metadata.name);
    for (const { metadata } of (await client.list(kind)).items) {
      await product.until(kind, metadata.name, (seen) => (seen === undefined ? true : undefined));
    }
  }
}

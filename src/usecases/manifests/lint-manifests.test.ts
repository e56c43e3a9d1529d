import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { lintManifests } from './lint-manifests.ts';

function lint(text: string) {
  const [file] = lintManifests([{ name: 'a.yaml', text }]);
  if (file === undefined) throw new Error('expected a file');
  return { ...file, told: file.findings.map(({ line, rule, isFixed }) => `${line} ${rule}${isFixed ? ' fixed' : ''}`) };
}

const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  storageClassName: fast
  accessModes: [ ReadWriteOnce ]
  resources:
    requests:
      storage: 1Gi
`;
const CLASS = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: fast
provisioner: csi.holdfast.dev
parameters:
  engine: local
`;
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: main
          image: web
          volumeMounts:
            - name: data
              mountPath: /data
      volumes:
        - name: data
          persistentVolumeClaim:
            claimName: data
`;

test('what is right is left as it was written', () => {
  const text = `# first\n---\n${CLASS}---\n# of the team\n${CLAIM}---\n${DEPLOYMENT}`;
  expect(lint(text)).toMatchObject({ findings: [], corrected: text });
});

/** Each: what becomes of a text by one change, and what is told of it. */
const FAULTS: readonly (readonly [about: string, text: string, told: readonly string[]])[] = [
  ['a tab', CLAIM.replace('  name: data', '\tname: data'), ['4 tab fixed']],
  ['typographic quotes', CLAIM.replace('1Gi', '“1Gi”'), ['10 typographic-quote fixed']],
  ['an unbreakable space', CLAIM.replace('name: data', 'name:\u00a0data'), ['4 unusual-space fixed']],
  ['a zero-width character', CLAIM.replace('name: data', 'name: da\u200bta'), ['4 unseen-character fixed']],
  ['a bullet', CLAIM.replace('[ ReadWriteOnce ]', '\n  – ReadWriteOnce'), ['8 typographic-dash fixed']],
  ['marks of Markdown', `\`\`\`yaml\n${CLAIM}\`\`\`\n`, ['1 code-fence fixed', '12 code-fence fixed']],
  ['no space after a colon', CLAIM.replace('name: data', 'name:data'), ['4 missing-space fixed']],
  ['two objects without a line between', `${CLASS}${CLAIM}`, ['8 separator fixed']],
  ['a removed version', DEPLOYMENT.replace('apps/v1', 'extensions/v1beta1'), ['1 api-version fixed']],
  ['an unknown version', CLAIM.replace('apiVersion: v1', 'apiVersion: v2'), ['1 api-version fixed']],
  ['an unknown field', CLAIM.replace('storageClassName', 'storageClasName'), ['6 unknown-field']],
  ['an unknown parameter', CLASS.replace('engine: local', 'replicsa: "3"'), ['7 class-parameter']],
  ['a refused parameter', CLASS.replace('engine: local', 'replicas: "many"'), ['7 class-parameter']],
  [
    'a removed plugin',
    DEPLOYMENT.replace(
      'persistentVolumeClaim:\n            claimName: data',
      'glusterfs:\n            endpoints: e\n            path: gv0',
    ),
    ['22 volume-plugin'],
  ],
  ['a provisioner that cannot be followed', CLASS.replace('csi.holdfast.dev', 'kubernetes.io/rbd'), ['5 provisioner']],
  [
    'labels that are not asked for',
    DEPLOYMENT.replace('        app: web\n    spec', '        app: other\n    spec'),
    ['11 selector'],
  ],
  [
    'a mount of nothing',
    DEPLOYMENT.replace('- name: data\n              mountPath', '- name: date\n              mountPath'),
    ['18 volume-mount'],
  ],
  ['no size', CLAIM.replace(/ {2}resources:[^]*/, ''), ['5 claim-size']],
  ['a size that is none', CLAIM.replace('1Gi', 'big'), ['10 claim-size']],
  ['an abbreviated mode', CLAIM.replace('ReadWriteOnce', 'RWO'), ['7 access-mode fixed']],
  ['a mode that is none', CLAIM.replace('ReadWriteOnce', 'ReadWriteOnze'), ['7 access-mode']],
  [
    'many nodes of a local class',
    `${CLASS}---\n${CLAIM.replace('ReadWriteOnce', 'ReadWriteMany')}`,
    ['15 claim-class'],
  ],
  ['no object', 'name: data\n', ['1 kind']],
  ['a key given twice', CLAIM.replace('metadata:\n', 'metadata:\n  name: other\n'), ['5 yaml']],
  ['a quote that is not closed', CLAIM.replace('1Gi', '"1Gi'), ['10 yaml']],
];

describe('each fault is told at its line', () => {
  test.for(FAULTS)('%s', ([, text, told]) => {
    expect(lint(text).told).toEqual(told);
  });

  test.for(FAULTS.filter(([, , told]) => told.every((each) => each.endsWith('fixed'))))(
    'and %s corrected',
    ([, text]) => {
      expect(lint(lint(text).corrected)).toMatchObject({ told: [] });
    },
  );
});

test('tabs are corrected to the same manifest', () => {
  expect(parse(lint(CLAIM.replaceAll('  ', '\t')).corrected)).toEqual(parse(CLAIM));
});

test('what could stand in two places is not guessed', () => {
  // A port of the container, or of its probe's host.
  const text = DEPLOYMENT.replace('image: web\n', 'image: web\n            name: second\n');
  expect(lint(text)).toMatchObject({ corrected: text });
  expect(lint(text).findings.map(({ severity, isFixed }) => [severity, isFixed])).toEqual([['error', false]]);
});

test('a part that is named over and over is refused, not written out', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...Array.from('bcdefgh', (name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}]`),
  ];
  expect(lint(`${CLAIM}${bomb.join('\n')}\n`).told).toEqual(['1 yaml']);
});

test('a text in quotes that is folded stays the same when the lines around it are moved', () => {
  const args =
    '          args:\n            - "one \\\n              --two=2 \\\n\n              it\\"s"\n            - \'a\n              b\'\n';
  const good = DEPLOYMENT.replace('          image: web\n', `          image: web\n${args}`);
  const { told, corrected } = lint(good.replace('\n      volumes:\n', '\nvolumes:\n'));
  expect(told).toEqual([expect.stringContaining('indentation fixed')]);
  expect(parse(corrected)).toEqual(parse(good));
});

test('items of a List are objects too, and comments stay where they are', () => {
  const old = CLAIM.replace(
    'spec:\n  storageClassName: fast\n',
    '  annotations:\n    volume.beta.kubernetes.io/storage-class: fast\nspec:\n',
  );
  const text = `apiVersion: v1\nkind: List\nitems:\n  # ours\n  - ${old.trim().replaceAll('\n', '\n    ')}\n`;
  const { told, corrected } = lint(text);
  expect(told).toEqual(['10 class-annotation fixed']);
  expect(corrected).toContain('# ours\n');
  expect(corrected).toContain('      storageClassName: fast\n');
});

test('a claim that is larger than the volume of its class', () => {
  const volume = `apiVersion: v1
kind: PersistentVolume
metadata:
  name: pv1
spec:
  capacity: { storage: 500Mi }
  accessModes: [ ReadWriteOnce ]
  storageClassName: fast
  hostPath: { path: /data }
`;
  const [finding] = lint(`${volume}---\n${CLAIM}`).findings;
  expect(finding).toMatchObject({ rule: 'claim-volume', severity: 'error', line: 15 });
  expect(finding?.message).toBe('no PersistentVolume of these files fits: pv1 is smaller than what the claim asks for');
});

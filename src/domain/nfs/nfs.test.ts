import { describe, expect, test } from 'vitest';
import { isNfsOnly, nfsOptionFaults } from './mount-options.ts';
import { exportFault, mountSource, permissionsFault, serverFault } from './share.ts';
import { expandSubDir, subDirFault } from './sub-dir.ts';

const CLAIM = {
  '${pvc.metadata.name}': 'data.web-0',
  '${pvc.metadata.namespace}': 'shop',
  '${pv.metadata.name}': 'pvc-1',
};

describe('subDir', () => {
  test.each([
    ['${pvc.metadata.namespace}/${pvc.metadata.name}', 'shop/data.web-0'],
    ['k8s-${pv.metadata.name}', 'k8s-pvc-1'],
    ['fixed', 'fixed'],
  ])('%s becomes %s', (template, expected) => expect(expandSubDir(template, CLAIM)).toBe(expected));

  test.each([
    ['${pvc.metadata.uid}', 'there is nothing to put in the place of "${pvc.metadata.uid}" in subDir'],
    ['${constructor}', 'there is nothing to put in the place of "${constructor}" in subDir'],
    ['', 'subDir "" must be names'],
    ['.', 'subDir "." must be names'],
    ['a/../../b', 'subDir "a/../../b" must be names'],
    ['/a', 'subDir "/a" must be names'],
    ['a\\b', 'subDir "a\\\\b" must be names'],
    ['.${pvc.metadata.name}', 'subDir ".data.web-0" must be names'],
    ['.holdfast/owners', 'subDir ".holdfast/owners" must be names'],
    ['a/b/c/d/e/f/g/h/i', 'subDir "a/b/c/d/e/f/g/h/i" has more than 8 parts'],
  ])('%s is refused', (template, message) => expect(() => expandSubDir(template, CLAIM)).toThrow(message));

  test.each(['..', '.', '', 'a/b', '../x', 'A', 'a\n', 'a..b'])('a claim that calls itself %j is refused', (name) => {
    expect(() => expandSubDir('x/${pvc.metadata.name}', { '${pvc.metadata.name}': name })).toThrow('is no name of a');
  });

  test('a name that nobody told is no name', () => {
    expect(() => expandSubDir('${pv.metadata.name}', {})).toThrow('there is nothing to put');
  });

  test('a part is as long as a file system takes one with what is put before it', () => {
    expect(subDirFault('a'.repeat(200))).toBeUndefined();
    expect(subDirFault('a'.repeat(201))).toContain('more than 200 characters');
  });
});

describe('mount options', () => {
  test.each([
    [['nfsvers=4.1', 'hard', 'noatime', 'nconnect=8', 'rsize=1048576', 'sec=krb5p', 'proto=tcp6']],
    [['vers=3', 'nolock', 'timeo=600', 'retrans=2', 'actimeo=0', 'lookupcache=positive']],
    [[]],
  ])('%j are in order', (options) => expect(nfsOptionFaults(options)).toEqual([]));

  test.each([
    ['soft', 'mount option soft is not allowed: a write that the server does not answer in time would be lost'],
    ['suid', '"suid" is not allowed'],
    ['dev', '"dev" is not allowed'],
    ['exec', '"exec" is not allowed'],
    ['context=system_u', '"context=system_u" is not allowed'],
    ['addr=10.0.0.1', '"addr=10.0.0.1" is not allowed'],
    ['clientaddr=10.0.0.1', 'is not allowed'],
    ['x-systemd.automount', 'is not allowed'],
    ['nfsvers=4.1,suid', 'nfsvers must be 3, 4, 4.0, 4.1 or 4.2'],
    ['nfsvers=5', 'nfsvers must be'],
    ['timeo=-1', 'timeo must be a number'],
    ['rsize=', 'rsize must be a number'],
    ['nconnect=17', 'nconnect must be a number from 1 to 16'],
    ['port=2049 ', 'port must be a number'],
    ['', '"" is not allowed'],
    ['toString', '"toString" is not allowed'],
    ['remount', '"remount" is not allowed'],
    ['bind', '"bind" is not allowed'],
  ])('%j is refused', (option, message) => expect(nfsOptionFaults([option]).join()).toContain(message));

  test('one that is said twice is refused, by whichever of its names', () => {
    expect(nfsOptionFaults(['nfsvers=3', 'vers=4'])).toEqual(['mount option "nfsvers" is said twice']);
  });

  test('those of mount.nfs are told from those of a bind mount', () => {
    expect(['nfsvers=3', 'hard', 'nolock'].every(isNfsOnly)).toBe(true);
    expect(['noatime', 'noexec', 'ro', 'nfsvers.x'].some(isNfsOnly)).toBe(false);
  });
});

describe('a share', () => {
  test.each([
    [{ server: 'files', path: '/export' }, 'files:/export'],
    [{ server: 'files', path: '/export', subDir: 'a/b' }, 'files:/export/a/b'],
    [{ server: 'files', path: '/', subDir: 'a' }, 'files:/a'],
    [{ server: 'fd00::1', path: '/x' }, '[fd00::1]:/x'],
  ])('%j is mounted as %s', (share, source) => expect(mountSource(share)).toBe(source));

  test.each(['files.example.com', '10.0.0.9', 'fd00::1', '::1', 'nas_1'])('%s is a server', (server) =>
    expect(serverFault(server)).toBeUndefined(),
  );
  test.each(['', '-o', 'a b', 'a:b', 'a/b', 'a,b', 'a..b', '[::1]', 'host:/x', 'a\nb', `${'a'.repeat(64)}.b`])(
    '%j is no server',
    (server) => expect(serverFault(server)).toContain('must be a host name'),
  );
  test.each(['/', '/export', '/a/b c'])('%j can be exported', (path) => expect(exportFault(path)).toBeUndefined());
  test.each(['', 'export', '/a/', '/a//b', '/a/../b', '/exports/../..', '/a\n', `/${'a'.repeat(1024)}`])(
    '%j cannot',
    (path) => expect(exportFault(path)).toBeDefined(),
  );
  test.each(['0777', '755', '2770', '01777'])('%s is a mode', (mode) => expect(permissionsFault(mode)).toBeUndefined());
  test.each(['', '0', '4755', '7777', '0o755', '888', '-1', '07777'])('%j is none', (mode) =>
    expect(permissionsFault(mode)).toBeDefined(),
  );
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadKubeconfig } from './kubeconfig.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kubeconfig-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function config(user: object, cluster: object = {}) {
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'lab', preferences: {} },
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443/', ...cluster } }],
    contexts: [{ name: 'lab', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
    users: [{ name: 'u', user }],
  };
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('loadKubeconfig', () => {
  it('joins several files: what the first says counts, and paths are those of the file that has them', async () => {
    await mkdir(join(folder, 'other'));
    await write('other/token', 'secret');
    const contexts = [{ name: 'far', context: { cluster: 'far', user: 'far' } }];
    const first = await write('first', { 'current-context': 'far', clusters: [], contexts });
    const clusters = [{ name: 'far', cluster: { server: 'https://far' } }];
    const users = [{ name: 'far', user: { tokenFile: 'token' } }];
    const second = await write('other/second', { 'current-context': 'no', clusters, contexts: [], users });
    const found = await loadKubeconfig([join(folder, 'missing'), first, second]);
    expect(found).toMatchObject({ server: 'https://far', origin: expect.stringContaining('context far') });
    expect(await found.headers?.()).toEqual({ authorization: 'Bearer secret' });
    await expect(loadKubeconfig([join(folder, 'missing'), join(folder, 'too')])).rejects.toMatchObject({
      kind: 'notFound',
    });
    await expect(loadKubeconfig([first, second], 'near')).rejects.toThrow('has no entry "near"');
  });

  it('reads certificates given in the file', async () => {
    const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
    const path = await write(
      'data',
      config(user, { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'x' }),
    );
    expect(await loadKubeconfig(path)).toEqual({
      ...{ server: 'https://10.0.0.1:6443', ca: 'CA', serverName: 'x' },
      ...{ clientCertificate: 'CERT', clientKey: 'KEY', origin: `${path}, context lab` },
    });
  });

  it('reads certificates in files beside it', async () => {
    await Promise.all([write('ca.pem', 'CA'), write('me.pem', 'CERT'), write('me.key', 'KEY')]);
    const path = await write(
      'files',
      config({ 'client-certificate': 'me.pem', 'client-key': 'me.key' }, { 'certificate-authority': 'ca.pem' }),
    );
    expect(await loadKubeconfig(path)).toMatchObject({ ca: 'CA', clientCertificate: 'CERT', clientKey: 'KEY' });
  });

  it('gives a token, a token file that is read anew each time, or a password as a header', async () => {
    const token = await loadKubeconfig(await write('token', config({ token: 'abc' })));
    expect(await token.headers?.()).toEqual({ authorization: 'Bearer abc' });
    await write('token.txt', 'first\n');
    const file = await loadKubeconfig(await write('token-file', config({ tokenFile: 'token.txt' })));
    expect(await file.headers?.()).toEqual({ authorization: 'Bearer first' });
    await write('token.txt', 'second\n');
    expect(await file.headers?.()).toEqual({ authorization: 'Bearer second' });
    const basic = await loadKubeconfig(await write('basic', config({ username: 'a', password: 'b' })));
    expect(await basic.headers?.()).toEqual({ authorization: `Basic ${base64('a:b')}` });
  });

  it.each([
    ['a missing file', undefined, 'notFound', 'cannot be read: there is no such file'],
    ['no YAML', 'a: [', 'invalid', 'is no YAML'],
    ['an empty file', '', 'invalid', 'the file: '],
    ['no clusters', { contexts: [] }, 'invalid', 'clusters: '],
    ['no current context', { ...config({}), 'current-context': '' }, 'invalid', 'current-context is not set'],
    ['a context that is not there', { ...config({}), 'current-context': 'x' }, 'invalid', 'contexts has no entry "x"'],
    ['a user that is not there', { ...config({}), users: [] }, 'invalid', 'users has no entry "u"'],
    ['an address of another protocol', config({}, { server: 'ftp://x' }), 'invalid', '"ftp://x" is not an http'],
    ['a certificate without its key', config({ 'client-certificate-data': 'YQ==' }), 'invalid', 'only one of'],
  ])('says what is wrong with %s', async (name, content, kind, message) => {
    const path = content === undefined ? join(folder, 'nowhere') : await write(name.replaceAll(' ', '-'), content);
    await expect(loadKubeconfig(path)).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(message) as string,
    });
  });

  it('takes another context than the current one when told to', async () => {
    const path = await write('two', config({}));
    await expect(loadKubeconfig(path, 'other')).rejects.toMatchObject({ hint: 'choose one of: lab' });
  });
});

import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../system/clock.ts';
import { generateAuthority, openAuthority } from './authority.ts';
import { createNodeKeys } from './node-keys.ts';

const clock = createSystemClock();
const open = async () => openAuthority(clock, await generateAuthority(clock), { certificate: 'ca.crt', key: 'ca.key' });

describe('certificates of nodes', async () => {
  const keys = createNodeKeys();
  const authority = await open();
  const keyPem = await keys.generate();
  const requestPem = await keys.request(keyPem, 'kube1');

  it('are signed for the name that is known, for both ends, and match their key only', async () => {
    const { certificatePem } = await authority.signNodeCertificate({ requestPem, node: 'kube1', days: 90 });
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.subject).toBe('CN=kube1');
    expect(certificate.subjectAltName).toBe('DNS:kube1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(keys.match(certificatePem, keyPem, authority.certificatePem)).toMatchObject({ commonName: 'kube1' });
    expect(keys.match(certificatePem, await keys.generate(), authority.certificatePem)).toBeUndefined();
    expect(keys.match(certificatePem, keyPem, (await open()).certificatePem)).toBeUndefined();
    expect(keys.match('nothing', keyPem, authority.certificatePem)).toBeUndefined();
  });

  it('are refused for another node, for a request that was changed, and for no request', async () => {
    const sign = (text: string, node = 'kube1') => authority.signNodeCertificate({ requestPem: text, node, days: 90 });
    await expect(sign(requestPem, 'kube2')).rejects.toThrow('it is for "kube1"');
    await expect(sign('nothing')).rejects.toMatchObject({ kind: 'invalid' });
    const [first = '', ...lines] = requestPem.split('\n');
    const der = Buffer.from(lines.slice(0, -1).join(''), 'base64');
    // The last byte of the signature.
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const changed = [first, der.toString('base64'), lines.at(-1)].join('\n');
    await expect(sign(changed)).rejects.toMatchObject({ kind: 'invalid' });
  });

  it('never carry a group that the request names: a node cannot make itself an administrator', async () => {
    const asked = await keys.request(keyPem, 'kube1, O=holdfast:admins');
    await expect(authority.signNodeCertificate({ requestPem: asked, node: 'kube1', days: 90 })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });

  it('are not asked for with a damaged key', async () => {
    await expect(keys.request('nothing', 'kube1')).rejects.toMatchObject({ reason: 'KeyDamaged' });
  });
});

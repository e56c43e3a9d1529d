/** Keys and certificate requests of a node: ECDSA P-256, as the authority's own (authority.ts). */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type webcrypto, X509Certificate } from 'node:crypto';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { CertificateFacts, NodeKeys } from '../../ports/node-keys.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Creates them with what Node has. */
export function createNodeKeys(): NodeKeys {
  return {
    generate: async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: ALGORITHM.namedCurve });
      return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    },
    request: async (keyPem, commonName) => {
      const keys = await importPair(keyPem);
      const { createRequest } = await import('./certificate-request.ts');
      return createRequest(keys, commonName, ALGORITHM);
    },
    match,
  };
}

async function importPair(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    const secret = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
    const open = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
    return {
      privateKey: await crypto.subtle.importKey('pkcs8', secret, ALGORITHM, false, ['sign']),
      publicKey: await crypto.subtle.importKey('spki', open, ALGORITHM, true, ['verify']),
    };
  } catch (cause) {
    throw new AppError('precondition', `the key of this node for storage traffic is damaged (${messageOf(cause)})`, {
      reason: 'KeyDamaged',
      hint: 'remove it: the agent makes a new one and asks for a new certificate',
      cause,
    });
  }
}

function match(certificatePem: string, keyPem: string, authorityPem: string): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(certificatePem);
    const isOurs =
      certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
      certificate.verify(new X509Certificate(authorityPem).publicKey);
    if (!isOurs) return undefined;
    return {
      commonName: /^CN=(?<name>.*)$/m.exec(certificate.subject)?.groups?.['name'],
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
    };
  } catch {
    // One of the three is damaged, which is the same as not having it: a new one is asked for.
    return undefined;
  }
}

/** Certificate requests, in a file of its own: @peculiar/x509 takes some MiB of memory, and an agent seldom asks for a certificate. */
import 'reflect-metadata'; // @peculiar/x509 resolves its parts through it, so it comes first.
import type { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A PKCS #10 request in PEM, signed with the key itself. */
export async function createRequest(
  keys: webcrypto.CryptoKeyPair,
  commonName: string,
  signingAlgorithm: { readonly name: string; readonly namedCurve: string; readonly hash: string },
): Promise<string> {
  const name = [{ CN: [commonName] }];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm });
  return request.toString('pem');
}

/**
 * Holdfast's own certificate authority: ECDSA P-256, made with WebCrypto; with @peculiar/x509, as node-keys.ts beside it.
 * Keys and certificates as text; where they are kept is the business of `authority-files.ts`.
 */
import 'reflect-metadata'; // @peculiar/x509 resolves its parts through it, so it comes first.
import { createPublicKey, type webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { AppError, messageOf } from '../../domain/errors.ts';
import type {
  CertificateAuthority,
  ClientCertificateRequest,
  IssuedCertificate,
  NodeCertificateRequest,
  ServerCertificateRequest,
} from '../../ports/certificate-authority.ts';
import type { Clock } from '../../ports/clock.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3650;
/** Certificates begin this much in the past, for machines whose clocks differ. */
const BACKDATE_MS = 5 * 60 * 1000;
const SUBJECT = 'O=Holdfast, CN=Holdfast CA';
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** The secret half of an authority, as it is kept. */
export interface AuthorityMaterial {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly keyPem: string;
}

/**
 * Makes a new authority, valid for ten years.
 *
 * @param keyPem - of the one that it follows: both then verify what either signs; a new key when left out
 * @throws {AppError} precondition, when that key is damaged
 */
export async function generateAuthority(clock: Pick<Clock, 'now'>, keyPem?: string): Promise<AuthorityMaterial> {
  const keys = keyPem === undefined ? await generateKeys() : await importPair(keyPem);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: SUBJECT,
    ...validity(clock, AUTHORITY_DAYS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: certificate.toString('pem'), keyPem: await exportKey(keys.privateKey) };
}

/**
 * Takes up an authority from its text.
 *
 * @param origin - where the text came from, for messages
 * @throws {AppError} precondition, when a part is damaged, they do not belong together, or the certificate has expired
 */
export async function openAuthority(
  clock: Pick<Clock, 'now'>,
  material: AuthorityMaterial,
  origin: { readonly certificate: string; readonly key: string },
): Promise<CertificateAuthority> {
  const issuer = parseCertificate(material.certificatePem, origin.certificate);
  const signingKey = await importKey(material.keyPem, origin.key);
  if (!(await belongTogether(issuer, signingKey))) {
    throw damaged(`${origin.key} is not the key of ${origin.certificate}`);
  }
  if (issuer.notAfter.getTime() <= clock.now()) {
    throw damaged(`the authority in ${origin.certificate} expired at ${issuer.notAfter.toISOString()}`);
  }
  if (issuer.getExtension(x509.BasicConstraintsExtension)?.ca !== true) {
    throw damaged(`${origin.certificate} is not the certificate of an authority`);
  }
  const context: IssuingContext = { clock, issuer, signingKey };
  return {
    certificatePem: issuer.toString('pem'),
    issueServerCertificate: async (request) => issueServer(context, request),
    issueClientCertificate: async (request) => issueClient(context, request),
    signNodeCertificate: async (request) => ({ certificatePem: await signNode(context, request) }),
  };
}

interface IssuingContext {
  readonly clock: Pick<Clock, 'now'>;
  readonly issuer: x509.X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
}

async function issueServer(context: IssuingContext, request: ServerCertificateRequest): Promise<IssuedCertificate> {
  const { dnsNames, ipAddresses, days } = request;
  const wrong = [
    ...dnsNames.filter((name) => !DNS_NAME.test(name)).map((name) => `${JSON.stringify(name)} is no DNS name`),
    ...ipAddresses.filter((ip) => isIP(ip) === 0).map((ip) => `${JSON.stringify(ip)} is no IP address`),
  ];
  if (dnsNames.length + ipAddresses.length === 0) wrong.push('it has neither a name nor an address');
  if (wrong.length > 0) throw new AppError('invalid', `the server certificate cannot be made: ${wrong.join('; ')}`);
  const names: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return issueWithKey(context, {
    subject: [{ CN: [dnsNames[0] ?? ipAddresses[0] ?? ''] }],
    days,
    purposes: [x509.ExtendedKeyUsage.serverAuth],
    extensions: [new x509.SubjectAlternativeNameExtension(names)],
  });
}

async function issueClient(context: IssuingContext, request: ClientCertificateRequest): Promise<IssuedCertificate> {
  const { commonName, organization, days } = request;
  for (const text of [commonName, organization]) {
    if (!/^[\x20-\x7e]{1,64}$/.test(text)) {
      throw new AppError(
        'invalid',
        `${JSON.stringify(text)} cannot stand in a certificate (1 to 64 printable characters)`,
      );
    }
  }
  return issueWithKey(context, {
    subject: [{ O: [organization] }, { CN: [commonName] }],
    days,
    purposes: [x509.ExtendedKeyUsage.clientAuth],
    extensions: [],
  });
}

interface Leaf {
  readonly subject: x509.JsonName;
  readonly days: number;
  readonly purposes: readonly x509.ExtendedKeyUsage[];
  readonly extensions: readonly x509.Extension[];
}

/** Everything in the certificate but the key is ours: what a request says of groups or purposes counts for nothing. */
async function signNode(context: IssuingContext, { requestPem, node, days }: NodeCertificateRequest): Promise<string> {
  const refuse = (why: string, cause?: unknown) =>
    new AppError('invalid', `the certificate request of node ${node} is refused: ${why}`, { cause });
  let request: x509.Pkcs10CertificateRequest;
  let isSigned: boolean;
  try {
    request = new x509.Pkcs10CertificateRequest(requestPem);
    isSigned = await request.verify();
  } catch (cause) {
    throw refuse(`it cannot be read (${messageOf(cause)})`, cause);
  }
  if (!isSigned) throw refuse('it is not signed with its own key');
  const names = request.subjectName.getField('CN');
  if (names.length !== 1 || names[0] !== node) throw refuse(`it is for ${JSON.stringify(names.join(', '))}`);
  if (!DNS_NAME.test(node)) throw refuse('the name cannot stand in a certificate');
  const certificate = await issue(context, request.publicKey, {
    subject: [{ CN: [node] }],
    days,
    purposes: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: node }])],
  });
  return certificate.toString('pem');
}

async function issueWithKey(context: IssuingContext, leaf: Leaf): Promise<IssuedCertificate> {
  const keys = await generateKeys();
  const certificate = await issue(context, keys.publicKey, leaf);
  return {
    certificatePem: certificate.toString('pem'),
    keyPem: await exportKey(keys.privateKey),
    notAfter: certificate.notAfter.getTime(),
  };
}

async function issue(
  context: IssuingContext,
  publicKey: x509.PublicKeyType,
  leaf: Leaf,
): Promise<x509.X509Certificate> {
  const { clock, issuer, signingKey } = context;
  const { notBefore, notAfter } = validity(clock, leaf.days);
  const end = new Date(Math.min(notAfter.getTime(), issuer.notAfter.getTime()));
  return x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: leaf.subject,
    issuer: issuer.subjectName,
    notBefore,
    notAfter: end,
    publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([...leaf.purposes]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...leaf.extensions,
    ],
  });
}

function validity(clock: Pick<Clock, 'now'>, days: number): { notBefore: Date; notAfter: Date } {
  if (!(days > 0)) throw new AppError('invalid', `a certificate cannot be valid for ${days} days`);
  return { notBefore: new Date(clock.now() - BACKDATE_MS), notAfter: new Date(clock.now() + days * DAY_MS) };
}

/** 127 random bits: positive, and never the same twice. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

async function importKey(pem: string, origin: string): Promise<webcrypto.CryptoKey> {
  try {
    const [der] = x509.PemConverter.decode(pem);
    if (der === undefined) throw new Error('it holds no PEM block');
    return await crypto.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
  } catch (cause) {
    throw damaged(`${origin} is not a private key (${messageOf(cause)})`, cause);
  }
}

async function importPair(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const privateKey = await importKey(pem, 'the key of the authority');
  const open = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return { privateKey, publicKey: await crypto.subtle.importKey('spki', open, ALGORITHM, true, ['verify']) };
}

function parseCertificate(pem: string, origin: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(pem);
  } catch (cause) {
    throw damaged(`${origin} is not a certificate (${messageOf(cause)})`, cause);
  }
}

/** Signs with one and verifies with the other. */
async function belongTogether(certificate: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<boolean> {
  const probe = new TextEncoder().encode('holdfast');
  const publicKey = await certificate.publicKey.export(ALGORITHM, ['verify']);
  return crypto.subtle.verify(ALGORITHM, publicKey, await crypto.subtle.sign(ALGORITHM, key, probe), probe);
}

function damaged(message: string, cause?: unknown): AppError {
  return new AppError('precondition', message, {
    reason: 'AuthorityDamaged',
    hint: 'restore the folder of the authority from a backup; to start over, move it away (every certificate then becomes void)',
    cause,
  });
}

/**
 * Keeps the certificate by which controllers are known to schedulers and to the API server: makes an authority and a certificate,
 * renews both in time, and tells the webhook's configuration what to trust. The controller that leads does it, for all of them.
 *
 * Invariant: each object is written over the very version that was looked at, so of two that believe to lead one sees a conflict and
 * looks again; no certificate is ever written that the authority of that look has not signed.
 */

import { AppError } from '../../domain/errors.ts';
import {
  AUTHORITY_SECRET,
  CERTIFICATE_SECRET,
  decideAuthority,
  decideCertificate,
  nextLookMs,
  POD_WEBHOOK,
  servingNames,
  type ValidityFacts,
} from '../../domain/locality/serving-certificate.ts';
import type { Millis } from '../../ports/clock.ts';
import type { Resource } from '../../ports/resource-client.ts';
import type { CertificatePair, ServingAuthority } from '../../ports/serving-authority.ts';
import { SYSTEM_NAMESPACE } from '../../schemas/kinds.ts';
import { createInformer, type Informer, type InformerDeps } from '../runtime/informer.ts';
import { createReconcileLoop, watchKeys } from '../runtime/reconcile-loop.ts';

export interface KeepCertificateDeps extends InformerDeps {
  readonly authority: ServingAuthority;
}

export interface KeepCertificateOptions {
  /** Silence of the API server that is taken for a dead connection. */
  readonly idleMs: Millis;
  /** Whether there may be a webhook to be told; only Kubernetes has them. */
  readonly hasWebhook: boolean;
}

const KEY = 'scheduling';
const NAMES = servingNames(SYSTEM_NAMESPACE);

/** Works until the signal aborts. */
export async function keepCertificate(
  deps: KeepCertificateDeps,
  { idleMs, hasWebhook }: KeepCertificateOptions,
  signal: AbortSignal,
): Promise<void> {
  const log = deps.log.child({ component: 'scheduling-certificate' });
  const one = <K extends 'Secret' | 'MutatingWebhookConfiguration'>(kind: K, name: string): Informer<K> =>
    createInformer(deps, { kind, idleMs, fieldSelector: `metadata.name=${name}` });
  const secrets = [AUTHORITY_SECRET, CERTIFICATE_SECRET].map((name) => one('Secret', name));
  const webhooks = hasWebhook ? [one('MutatingWebhookConfiguration', POD_WEBHOOK.configuration)] : [];

  const reconcile = async (_key: string, within: AbortSignal) => {
    const authority = await settleAuthority({ ...deps, log }, within);
    const certificate = await settleCertificate({ ...deps, log }, authority.pair, within);
    if (hasWebhook) await tellWebhook({ ...deps, log }, authority.pair.certificatePem, within);
    return { requeueAfterMs: nextLookMs(deps.clock.now(), authority.facts, certificate) };
  };

  const loop = createReconcileLoop(deps, {
    name: 'scheduling-certificate',
    watches: [
      ...secrets.map((informer) => watchKeys(informer, () => [KEY])),
      ...webhooks.map((informer) => watchKeys(informer, () => [KEY])),
    ],
    reconcile,
  });
  // There is nothing yet whose change would make it look.
  loop.enqueue(KEY);
  await Promise.all([...[...secrets, ...webhooks].map((informer) => informer.run(signal)), loop.run(signal)]);
}

interface Settled {
  readonly pair: CertificatePair;
  readonly facts: ValidityFacts;
}

async function settleAuthority(deps: KeepCertificateDeps, signal: AbortSignal): Promise<Settled> {
  const { client, clock, authority, log } = deps;
  const secret = await client.get('Secret', AUTHORITY_SECRET, { signal });
  const there = pairOf(secret);
  const facts = there === undefined ? undefined : await authority.lookAtAuthority(there);
  const step = decideAuthority(clock.now(), facts);
  if (there !== undefined && facts !== undefined && step === 'keep') return { pair: there, facts };
  const pair = await authority.makeAuthority(step === 'renew' ? there?.keyPem : undefined);
  await write(deps, { name: AUTHORITY_SECRET, before: secret, data: encode(pair) }, signal);
  if (step === 'make' && secret !== undefined) {
    log.warn('the authority for scheduling was of no use and is made anew: restart schedulers that trust the old one', {
      secret: AUTHORITY_SECRET,
    });
  } else log.info('an authority for scheduling is made', { secret: AUTHORITY_SECRET, step });
  return { pair, facts: good(await authority.lookAtAuthority(pair), AUTHORITY_SECRET) };
}

async function settleCertificate(
  deps: KeepCertificateDeps,
  signer: CertificatePair,
  signal: AbortSignal,
): Promise<ValidityFacts> {
  const { client, clock, authority, log } = deps;
  const secret = await client.get('Secret', CERTIFICATE_SECRET, { signal });
  const there = pairOf(secret);
  const trusted = decode(secret?.data?.['ca.crt']);
  // One that is signed with the same key is as good, but people read in the Secret what is to be trusted.
  const isOfAuthority = trusted === signer.certificatePem;
  const facts =
    there === undefined ? undefined : await authority.lookAtCertificate(there, signer.certificatePem, NAMES);
  const step = decideCertificate(clock.now(), facts);
  if (facts !== undefined && step === 'keep' && isOfAuthority) return facts;
  const pair = await authority.issue(signer, NAMES);
  const data = { ...encode(pair), 'ca.crt': toBase64(signer.certificatePem) };
  await write(deps, { name: CERTIFICATE_SECRET, before: secret, data }, signal);
  const made = good(await authority.lookAtCertificate(pair, signer.certificatePem, NAMES), CERTIFICATE_SECRET);
  log.info('a certificate for scheduling is made', { until: new Date(made.notAfter).toISOString() });
  return made;
}

interface Writing {
  readonly name: string;
  /** What was looked at; undefined when there was nothing. */
  readonly before: Resource<'Secret'> | undefined;
  readonly data: Readonly<Record<string, string>>;
}

/** Only over the version that was seen. The type of a Secret cannot be changed, so another one has to go first. */
async function write({ client }: KeepCertificateDeps, { name, before, data }: Writing, signal: AbortSignal) {
  const type = 'kubernetes.io/tls';
  if (before?.type === type) {
    const { resourceVersion, uid } = before.metadata;
    await client.patch('Secret', name, { data }, { resourceVersion, uid, signal });
    return;
  }
  if (before !== undefined) {
    throw new AppError('precondition', `Secret ${SYSTEM_NAMESPACE}/${name} is not of type ${type}`, {
      reason: 'SecretType',
      hint: `if nothing else needs it: kubectl -n ${SYSTEM_NAMESPACE} delete secret ${name}`,
    });
  }
  const metadata = { name, labels: { 'app.kubernetes.io/part-of': 'holdfast' } };
  await client.create('Secret', { metadata, type, data }, { signal });
}

/** Writes its own entry's field, and nothing where it is so already: a GitOps tool may look after the rest. */
async function tellWebhook(
  { client, log }: KeepCertificateDeps,
  authorityPem: string,
  signal: AbortSignal,
): Promise<void> {
  const kind = 'MutatingWebhookConfiguration';
  const found = await client.get(kind, POD_WEBHOOK.configuration, { signal });
  const caBundle = toBase64(authorityPem);
  const entry = found?.webhooks?.find(({ name }) => name === POD_WEBHOOK.name);
  if (found === undefined || entry === undefined || entry.clientConfig.caBundle === caBundle) return;
  const webhooks = found.webhooks?.map((each) =>
    each === entry ? { ...each, clientConfig: { ...each.clientConfig, caBundle } } : each,
  );
  const { uid, resourceVersion } = found.metadata;
  await client.patch(kind, POD_WEBHOOK.configuration, { webhooks }, { uid, resourceVersion, signal });
  log.info('the API server trusts the authority for scheduling', { configuration: POD_WEBHOOK.configuration });
}

/** The certificate and the key of a Secret; undefined where one is missing. */
export function pairOf(secret: Resource<'Secret'> | undefined): CertificatePair | undefined {
  const [certificatePem, keyPem] = [decode(secret?.data?.['tls.crt']), decode(secret?.data?.['tls.key'])];
  return certificatePem === undefined || keyPem === undefined ? undefined : { certificatePem, keyPem };
}

function encode({ certificatePem, keyPem }: CertificatePair): Readonly<Record<string, string>> {
  return { 'tls.crt': toBase64(certificatePem), 'tls.key': toBase64(keyPem) };
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8');
}

function good(facts: ValidityFacts | undefined, name: string): ValidityFacts {
  if (facts !== undefined) return facts;
  throw new AppError('internal', `what was just made for Secret ${name} is of no use`);
}

/** The certificate by which the API server and schedulers know the controllers, where Holdfast makes it itself: names, and when to renew. */

/** The Service by which they are reached. */
export const SCHEDULING_SERVICE = 'holdfast-scheduling';
/** Secret with the authority and its key; only the controller that leads reads it. */
export const AUTHORITY_SECRET = 'holdfast-scheduling-ca';
/** Secret with the certificate that all controllers serve with, its key, and the authority to trust (`ca.crt`). */
export const CERTIFICATE_SECRET = 'holdfast-scheduling-tls';
/** The MutatingWebhookConfiguration, and the entry of it that is Holdfast's. */
export const POD_WEBHOOK = { configuration: 'holdfast-scheduler', name: 'scheduler.holdfast.dev' } as const;

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days that a certificate is valid. */
export const SERVING_DAYS = 90;
/** Of those the last 30 are for whoever has to find out why it is not renewed. */
const SERVING_LEFT_MS = 30 * DAY_MS;
/**
 * An authority lasts ten years, and two before its end its certificate is made anew, with the same key and name: what was signed
 * stays valid for who trusts the new one, and what is signed then for who has read the old one only, as a scheduler does at its start.
 */
const AUTHORITY_LEFT_MS = 730 * DAY_MS;
/** Nothing is waited for longer without a look: clocks jump, and machines are suspended. */
const LOOK_MS = 12 * 60 * 60 * 1000;

/** What of a pair of certificate and key matters here; there is none of one that is damaged or whose halves do not fit. */
export interface ValidityFacts {
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** `make`: anew, with a key of its own. `renew`: as `make` for a certificate; an authority keeps its key. */
export type CertificateStep = 'keep' | 'renew' | 'make';

/** @param facts - of the authority that there is; undefined when there is none, or none that is of use */
export function decideAuthority(now: number, facts: ValidityFacts | undefined): CertificateStep {
  return decide(now, facts, AUTHORITY_LEFT_MS);
}

/** @param facts - of the certificate that there is, if its authority and its names are the ones wanted */
export function decideCertificate(now: number, facts: ValidityFacts | undefined): CertificateStep {
  return decide(now, facts, SERVING_LEFT_MS);
}

function decide(now: number, facts: ValidityFacts | undefined, leftMs: number): CertificateStep {
  // One of the future was made by a clock that was wrong: nobody accepts it now.
  if (facts === undefined || facts.notAfter <= now || facts.notBefore > now) return 'make';
  return facts.notAfter - now <= leftMs ? 'renew' : 'keep';
}

/** Milliseconds until both should be looked at again; they were just found, or made, good. */
export function nextLookMs(now: number, authority: ValidityFacts, certificate: ValidityFacts): number {
  const due = Math.min(authority.notAfter - AUTHORITY_LEFT_MS, certificate.notAfter - SERVING_LEFT_MS);
  return Math.max(0, Math.min(LOOK_MS, due - now));
}

/** Names that the certificate is for: as the API server asks (`NAME.NAMESPACE.svc`), and as pods of the cluster may. */
export function servingNames(namespace: string): readonly string[] {
  const name = `${SCHEDULING_SERVICE}.${namespace}`;
  return [`${name}.svc`, `${name}.svc.cluster.local`, name];
}

/** Composition of what advises schedulers on a cluster: the server of each controller, and the certificate that the leader keeps. */
import { createLocalHost } from '../adapters/host/local-host.ts';
import { createServingAuthority } from '../adapters/tls/serving-authority.ts';
import { followCertificate } from '../controllers/locality/followed-certificate.ts';
import { keepCertificate } from '../controllers/locality/keep-certificate.ts';
import { createLocalityIndex } from '../controllers/locality/locality-index.ts';
import { createPodAdmission } from '../controllers/locality/pod-admission.ts';
import type { InformerDeps } from '../controllers/runtime/informer.ts';
import { AppError } from '../domain/errors.ts';
import type { Millis } from '../ports/clock.ts';
import type { SchedulingChoice } from '../shells/cli/commands/controller.ts';
import type { CertificateSource } from '../shells/extender/serve-scheduling.ts';
import type { Measuring } from './start-metrics.ts';

export interface Scheduling {
  /** Serves until the signal aborts; whoever leads, each process can advise: it only reads. */
  readonly serve: (signal: AbortSignal) => Promise<void>;
  /** For the process that leads. Undefined where somebody else makes the certificate. */
  readonly keep: ((signal: AbortSignal) => Promise<void>) | undefined;
  /** Resolves while it serves and has heard of all volumes. @throws {AppError} unavailable, else */
  readonly check: () => Promise<void>;
}

/** @param idleMs - silence of the API server that is taken for a dead connection */
export function composeScheduling(
  deps: InformerDeps & Measuring,
  { listen, certificate, scheduler }: SchedulingChoice,
  idleMs: Millis,
): Scheduling {
  let isServed = (): boolean => false;
  const authority = createServingAuthority(deps.clock);
  const serve = async (signal: AbortSignal): Promise<void> => {
    const { serveScheduling } = await import('../shells/extender/serve-scheduling.ts');
    const index = createLocalityIndex(deps, { idleMs });
    const admission = scheduler === undefined ? undefined : createPodAdmission(deps, { idleMs, scheduler, index });
    const certificates = await sourceOf(deps, certificate, idleMs);
    const onListening = (): void => {
      isServed = () => index.isReady() && admission?.isReady() !== false;
    };
    const { metrics, clock } = deps;
    const measuring = metrics && { measuring: { metrics, clock } };
    const optional = { ...(admission && { admission }), ...(certificates && { certificates }), ...measuring };
    await serveScheduling({ ...deps, index, listen, onListening, ...optional }, signal);
  };
  return {
    serve,
    keep:
      certificate === 'own'
        ? (signal) => keepCertificate({ ...deps, authority }, { idleMs, hasWebhook: scheduler !== undefined }, signal)
        : undefined,
    check: async () => {
      if (!isServed()) throw new AppError('unavailable', 'no scheduler can be advised yet', { reason: 'NotReady' });
    },
  };
}

async function sourceOf(
  deps: InformerDeps,
  certificate: SchedulingChoice['certificate'],
  idleMs: Millis,
): Promise<CertificateSource | undefined> {
  if (certificate === undefined) return undefined;
  if (certificate === 'own') return (use, signal) => followCertificate(deps, { idleMs, use }, signal);
  const { certificateFiles } = await import('../shells/extender/certificate-files.ts');
  return certificateFiles({ ...deps, files: createLocalHost(deps).files }, certificate);
}

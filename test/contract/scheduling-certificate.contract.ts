/** What keeps the certificate for scheduling, on any API server: made, trusted by the webhook, served, renewed, and never fought over. */
import { X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/clock.ts';
import { createSystemRandom } from '../../src/adapters/system/random.ts';
import { createServingAuthority } from '../../src/adapters/tls/serving-authority.ts';
import { followCertificate } from '../../src/controllers/locality/followed-certificate.ts';
import { keepCertificate } from '../../src/controllers/locality/keep-certificate.ts';
import { createLocalityIndex } from '../../src/controllers/locality/locality-index.ts';
import type { AppError } from '../../src/domain/errors.ts';
import { AUTHORITY_SECRET, CERTIFICATE_SECRET, POD_WEBHOOK } from '../../src/domain/locality/serving-certificate.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { createFakeLogger } from '../../src/ports/logger.fake.ts';
import type { ResourceClient } from '../../src/ports/resource-client.ts';
import { serveScheduling } from '../../src/shells/extender/serve-scheduling.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const IDLE_MS = 90_000;
const PATIENCE = { timeout: 20_000, interval: 20 };
const NAME = 'holdfast-scheduling.holdfast-system.svc';

/** A client of a server without the objects of an earlier test. */
export interface CertificateServer {
  readonly client: ResourceClient;
  /** With what a controller may do there; it may do everything with the client when left out. */
  readonly asController?: ResourceClient;
  /** Whether it has webhooks; Kubernetes alone has. */
  readonly hasWebhooks: boolean;
  stop(): Promise<void>;
}

/** The days of this clock are moved by hand; spans and waits are real. */
function movableClock(): Clock & { aheadDays: number } {
  const clock = createSystemClock();
  const movable = { ...clock, aheadDays: 0, now: () => clock.now() + movable.aheadDays * DAY_MS };
  return movable;
}

/** @param setUp - called before each test */
export function describeSchedulingCertificate(what: string, setUp: () => Promise<CertificateServer>): void {
  describe(`the certificate for scheduling, ${what}`, () => {
    let server: CertificateServer;
    let runs: (() => Promise<void>)[];
    beforeEach(async () => {
      server = await setUp();
      runs = [];
    });
    afterEach(async () => {
      for (const end of runs) await end();
      await server.stop();
    });

    const start = (run: (signal: AbortSignal) => Promise<void>): (() => Promise<void>) => {
      const stopping = new AbortController();
      const ended = run(stopping.signal);
      const end = async (): Promise<void> => {
        stopping.abort();
        await ended;
      };
      runs.push(end);
      return end;
    };
    const depsOf = (clock: Clock, client = server.asController ?? server.client) => ({
      ...{ clock, client, log: createFakeLogger(), random: createSystemRandom() },
    });
    const keep = (clock: Clock, client?: ResourceClient) =>
      start((signal) =>
        keepCertificate(
          { ...depsOf(clock, client), authority: createServingAuthority(clock) },
          { idleMs: IDLE_MS, hasWebhook: server.hasWebhooks },
          signal,
        ),
      );
    const serve = (): Promise<number> => {
      const listening = Promise.withResolvers<number>();
      const deps = depsOf(createSystemClock());
      const index = createLocalityIndex(deps, { idleMs: IDLE_MS });
      start((signal) =>
        serveScheduling(
          {
            ...{ ...deps, index, listen: { host: '127.0.0.1', port: 0 } },
            certificates: (use, until) => followCertificate(deps, { idleMs: IDLE_MS, use }, until),
            onListening: ({ port }) => listening.resolve(port),
          },
          signal,
        ),
      );
      return listening.promise;
    };
    const field = async (secret: string, name: string): Promise<string> => {
      const text = (await server.client.get('Secret', secret))?.data?.[name];
      return text === undefined ? '' : Buffer.from(text, 'base64').toString();
    };
    const certificate = () => field(CERTIFICATE_SECRET, 'tls.crt');
    const made = () => expect.poll(certificate, PATIENCE).toContain('BEGIN CERTIFICATE');
    const isForName = (pem: string, authority: string): boolean => {
      const read = new X509Certificate(pem);
      return read.checkHost(NAME) !== undefined && read.verify(new X509Certificate(authority).publicKey);
    };

    it('is made once for the name that the API server asks for; the key of the authority is in neither what it serves', async () => {
      const clock = movableClock();
      const end = keep(clock);
      await made();
      expect(isForName(await certificate(), await field(CERTIFICATE_SECRET, 'ca.crt'))).toBe(true);
      expect((await server.client.get('Secret', CERTIFICATE_SECRET))?.type).toBe('kubernetes.io/tls');
      expect(await field(CERTIFICATE_SECRET, 'ca.key')).toBe('');
      const before = await certificate();
      await end();
      // Whoever leads next finds it good.
      clock.aheadDays = 59;
      keep(clock);
      await expect.poll(() => field(AUTHORITY_SECRET, 'tls.key'), PATIENCE).not.toBe('');
      await server.client.delete('Secret', AUTHORITY_SECRET);
      await expect.poll(() => field(AUTHORITY_SECRET, 'tls.key'), PATIENCE).not.toBe('');
      await expect.poll(certificate, PATIENCE).not.toBe(before);
      expect(isForName(await certificate(), await field(AUTHORITY_SECRET, 'tls.crt'))).toBe(true);
    });

    it('is renewed a month before its end, by the same authority; the authority two years before its own, with the same key', async () => {
      const clock = movableClock();
      let end = keep(clock);
      await made();
      const [first, authority, key] = await Promise.all([
        certificate(),
        field(CERTIFICATE_SECRET, 'ca.crt'),
        field(AUTHORITY_SECRET, 'tls.key'),
      ]);
      await end();
      clock.aheadDays = 60;
      end = keep(clock);
      await expect.poll(certificate, PATIENCE).not.toBe(first);
      expect(await field(CERTIFICATE_SECRET, 'ca.crt')).toBe(authority);
      expect(isForName(await certificate(), authority)).toBe(true);
      await end();
      clock.aheadDays = 3650 - 729;
      keep(clock);
      await expect.poll(() => field(CERTIFICATE_SECRET, 'ca.crt'), PATIENCE).not.toBe(authority);
      expect(await field(AUTHORITY_SECRET, 'tls.key')).toBe(key);
      // A scheduler that read the old one at its start trusts what is signed now.
      expect(isForName(await certificate(), authority)).toBe(true);
    });

    it('is one, when two controllers both believe to lead', async () => {
      const clock = movableClock();
      const written: string[] = [];
      const client = server.asController ?? server.client;
      const noting: ResourceClient = {
        ...client,
        create: async (kind, object, options) => {
          const result = await client.create(kind, object, options);
          written.push(object.metadata?.name ?? '');
          return result;
        },
      };
      keep(clock, noting);
      keep(clock, noting);
      await made();
      const settled = async (): Promise<boolean> => {
        const [pem, trusted, signer] = await Promise.all([
          certificate(),
          field(CERTIFICATE_SECRET, 'ca.crt'),
          field(AUTHORITY_SECRET, 'tls.crt'),
        ]);
        return trusted === signer && isForName(pem, signer);
      };
      await expect.poll(settled, PATIENCE).toBe(true);
      expect(written.toSorted()).toEqual([AUTHORITY_SECRET, CERTIFICATE_SECRET]);
    });

    it('is damaged by somebody, and made anew; a Secret of another type is left alone', async () => {
      const clock = movableClock();
      const end = keep(clock);
      await made();
      const data = { 'tls.crt': Buffer.from('nonsense').toString('base64') };
      await server.client.patch('Secret', CERTIFICATE_SECRET, { data });
      await made();
      await end();
      await server.client.delete('Secret', CERTIFICATE_SECRET);
      const metadata = { name: CERTIFICATE_SECRET };
      const mine = { metadata, type: 'Opaque', data: { mine: Buffer.from('mine').toString('base64') } };
      await server.client.create('Secret', mine);
      const log = createFakeLogger();
      start((signal) =>
        keepCertificate(
          { ...depsOf(clock), log, authority: createServingAuthority(clock) },
          { idleMs: IDLE_MS, hasWebhook: false },
          signal,
        ),
      );
      const said = () => log.entries.map(({ fields }) => (fields?.['err'] as AppError | undefined)?.message);
      const fault = `Secret holdfast-system/${CERTIFICATE_SECRET} is not of type kubernetes.io/tls`;
      await expect.poll(said, PATIENCE).toContain(fault);
      expect(await field(CERTIFICATE_SECRET, 'mine')).toBe('mine');
    });

    it('is served by every controller, also by one that was there before it, and replaced while they serve', async () => {
      const clock = movableClock();
      const ports = [serve(), serve()];
      let end = keep(clock);
      const shown = async () => Promise.all(ports.map(async (port) => shownCertificate(await port)));
      await made();
      const first = (await certificate()).trim();
      await expect.poll(shown, PATIENCE).toEqual([first, first]);
      await end();
      clock.aheadDays = 61;
      end = keep(clock);
      await expect.poll(certificate, PATIENCE).not.toBe(`${first}\n`);
      const second = (await certificate()).trim();
      await expect.poll(shown, PATIENCE).toEqual([second, second]);
      await end();
      // What cannot be used leaves the one in use.
      await server.client.delete('Secret', CERTIFICATE_SECRET);
      expect(await shown()).toEqual([second, second]);
    });

    it('is trusted by the API server: the field of its own entry is written, and again when somebody else empties it', async () => {
      if (!server.hasWebhooks) return;
      const { client } = server;
      const kind = 'MutatingWebhookConfiguration';
      const common = { admissionReviewVersions: ['v1'], sideEffects: 'None' };
      const url = 'https://127.0.0.1:1/mutate';
      await client.create(kind, {
        metadata: { name: POD_WEBHOOK.configuration },
        webhooks: [
          { ...common, name: 'other.example.com', clientConfig: { url } },
          { ...common, name: POD_WEBHOOK.name, clientConfig: { url } },
        ],
      });
      keep(movableClock());
      await made();
      const bundles = async () =>
        (await client.get(kind, POD_WEBHOOK.configuration))?.webhooks?.map(({ clientConfig }) => clientConfig.caBundle);
      const trusted = Buffer.from(await field(AUTHORITY_SECRET, 'tls.crt')).toString('base64');
      await expect.poll(bundles, PATIENCE).toEqual([undefined, trusted]);
      const read = await client.get(kind, POD_WEBHOOK.configuration);
      const emptied = read?.webhooks?.map((each) => ({ ...each, clientConfig: { url } }));
      await client.patch(kind, POD_WEBHOOK.configuration, { webhooks: emptied });
      await expect.poll(bundles, PATIENCE).toEqual([undefined, trusted]);
    });
  });
}

/** What a server at a port of this machine shows to whoever connects. */
function shownCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: NAME, rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(new X509Certificate(raw).toString().trim());
    });
    socket.on('error', reject);
  });
}

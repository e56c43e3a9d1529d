/** The encryption of one node in memory. */
import type { TlsMode } from '../schemas/storage-node.ts';
import type { EngineEncryption, HeldCertificate } from './encryption.ts';

export interface FakeEncryption extends EngineEncryption {
  /** What its daemon speaks; a test may change it. */
  spoken: TlsMode;
  held: HeldCertificate | undefined;
  readonly restarts: TlsMode[];
  /** It is being restarted just now; for whoever lets that take time. */
  isRestarting: boolean;
}

/** Valid for as long as any test lasts. */
const FOREVER = { notBefore: 0, notAfter: Number.MAX_SAFE_INTEGER / 2 };

/** Creates the encryption of a node that speaks plainly. */
export function createFakeEncryption(): FakeEncryption {
  let requests = 0;
  const self: FakeEncryption = {
    spoken: 'plain',
    held: undefined,
    restarts: [],
    isRestarting: false,
    mode: async () => self.spoken,
    isRestartUnderWay: async () => false,
    certificate: async () => self.held,
    // No two are the same: a real one is signed with random numbers.
    request: async (node) => {
      requests += 1;
      return `request ${requests} of ${node}`;
    },
    install: async ({ pem }) => {
      self.held = { ...FOREVER, pem };
    },
    restart: async (mode) => {
      self.restarts.push(mode);
      self.spoken = mode;
    },
    look: async () =>
      self.spoken === 'encrypted' ? { encrypted: 'TLSv1.3', answersPlain: false } : { answersPlain: true },
  };
  return self;
}

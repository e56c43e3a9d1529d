/** What every LedgerNetwork does, the one in memory and TCP. */
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createLedgerNetwork } from '../../src/adapters/ledger/line-network.ts';
import { createFakeLedgerNetwork } from '../../src/ports/ledger-link.fake.ts';
import type { LineHandler, LineLink, LineServer } from '../../src/ports/ledger-link.ts';

const HERE = { host: '127.0.0.1', port: 0 };
const OPTIONS = { timeoutMs: 5_000 };

interface Recorder extends LineHandler {
  readonly lines: readonly string[];
  readonly isClosed: Promise<void>;
}

function record(onLine: (line: string) => void = () => undefined): Recorder {
  const lines: string[] = [];
  const closing = Promise.withResolvers<void>();
  return {
    lines,
    isClosed: closing.promise,
    line: (text) => {
      lines.push(text);
      onLine(text);
    },
    closed: () => closing.resolve(),
  };
}

describe.each([
  { kind: 'TCP', network: createLedgerNetwork() },
  { kind: 'fake', network: createFakeLedgerNetwork() },
])('$kind', ({ network }) => {
  test('lines arrive whole and in order, both ways', async () => {
    const serverSide = record((line) => line === 'end' && link().send('done'));
    let accepted: LineLink | undefined;
    const link = (): LineLink => accepted as LineLink;
    const server = await network.listen(HERE, (each) => {
      accepted = each;
      return serverSide;
    });
    const answered = Promise.withResolvers<void>();
    const near = await network.connect(
      server.address,
      record(() => answered.resolve()),
      OPTIONS,
    );
    const sent = Array.from({ length: 500 }, (_, index) => `line ${index} ${'x'.repeat(index % 50)}`);
    for (const line of [...sent, 'end']) near.send(line);
    await answered.promise;
    expect(serverSide.lines).toEqual([...sent, 'end']);
    await server.close();
  });

  test('both ends hear when one closes, and sending then does nothing', async () => {
    const far = record();
    const server = await network.listen(HERE, () => far);
    const near = record();
    const link = await network.connect(server.address, near, OPTIONS);
    link.close();
    await Promise.all([far.isClosed, near.isClosed]);
    link.send('into the void');
    expect(far.lines).toEqual([]);
    await server.close();
  });

  test('closing the server ends its connections, and nobody answers there any more', async () => {
    const server = await network.listen(HERE, () => record());
    const near = record();
    await network.connect(server.address, near, OPTIONS);
    await server.close();
    await near.isClosed;
    await expect(network.connect(server.address, record(), OPTIONS)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('an address that is taken is refused with what to do', async () => {
    const server: LineServer = await network.listen(HERE, () => record());
    await expect(network.listen(server.address, () => record())).rejects.toMatchObject({
      kind: 'precondition',
      reason: 'CannotListen',
    });
    await server.close();
  });

  test('an aborted connect is cancelled', async () => {
    const server = await network.listen(HERE, () => record());
    const signal = AbortSignal.abort();
    await expect(network.connect(server.address, record(), { ...OPTIONS, signal })).rejects.toMatchObject({
      kind: 'cancelled',
    });
    await server.close();
  });
});

test('a line without end closes the connection', async () => {
  const far = record();
  const server = await createLedgerNetwork().listen(HERE, () => far);
  const socket = connect(server.address.port, server.address.host);
  socket.on('error', () => undefined); // the reset that this test is about
  socket.write('x'.repeat(100_000));
  await far.isClosed;
  expect(far.lines).toEqual([]);
  await server.close();
});

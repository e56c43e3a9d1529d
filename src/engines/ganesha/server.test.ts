/** When the server is started, told and ended. What the real one answers is in test/engine/nfs-export.test.ts. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { parseEngineVolumeName } from '../../domain/names.ts';
import type { ServedExport } from '../../domain/nfs-export/served-export.ts';
import { createFakeClock, type FakeClock } from '../../ports/clock.fake.ts';
import type { MachineHost, ProcessId } from '../../ports/host.ts';
import type { NfsServer } from '../../ports/nfs-server.ts';
import { SERVER_PATHS } from './configuration.ts';
import { createGaneshaServer } from './server.ts';

const { signal } = new AbortController();
const BRICK = { addresses: ['10.91.1.1'], port: 49_152 };
const exported = (id = 7, clients = ['10.10.0.0/16']): ServedExport => {
  const volume = parseEngineVolumeName(`gv${id}`);
  return { id, volume, copies: 1, path: `/gv${id}`, clients, isReadOnly: false, squash: 'none' };
};

/** A machine with files and processes in memory, on which the program says in its log what the real one says. */
interface Machine {
  readonly host: MachineHost;
  readonly clock: FakeClock;
  readonly files: Map<string, string>;
  /** What was done to processes, in order. */
  readonly deeds: string[];
  /** It ends at once, with these last words. */
  lastWords: string | undefined;
  isConnected: boolean;
  alive: number | undefined;
}

function createMachine(): Machine {
  const files = new Map<string, string>();
  const machine: Omit<Machine, 'host'> = {
    ...{ clock: createFakeClock(), files, deeds: [], lastWords: undefined, isConnected: true, alive: undefined },
  };
  const log = (text: string) => files.set(SERVER_PATHS.log, `${files.get(SERVER_PATHS.log) ?? ''}${text}\n`);
  const startTicksOf = (pid: number) => pid * 10;
  let pid = 100;
  const processes = {
    start: async (): Promise<ProcessId> => {
      pid += 1;
      machine.deeds.push(`start ${pid}`);
      machine.alive = machine.lastWords === undefined ? pid : undefined;
      log(machine.lastWords ?? 'NFS SERVER INITIALIZED');
      return { pid, startTicks: startTicksOf(pid) };
    },
    isAlive: async (id: ProcessId) => id.pid === machine.alive && id.startTicks === startTicksOf(id.pid),
    stop: async (id: ProcessId) => {
      machine.deeds.push(`stop ${id.pid}`);
      machine.alive = undefined;
    },
  };
  const run = async ({ file, args }: { readonly file: string; readonly args: readonly string[] }) => {
    if (file === 'kill') {
      machine.deeds.push(`tell ${args.at(-1)}`);
      log('Reread exports complete');
    }
    if (file === 'cp') files.set(args.at(-1) ?? '', files.get(args.at(-2) ?? '') ?? '');
    if (file === 'truncate') files.set(args.at(-1) ?? '', '');
    const line = `0 0 10.91.1.1:1020 10.91.1.1:49152 users:(("ganesha.nfsd",pid=${machine.alive},fd=9))\n`;
    return { stdout: file === 'ss' && machine.isConnected ? line : '', stderr: '', code: 0 };
  };
  const hostFiles = {
    readText: async (path: string) => {
      const text = files.get(path);
      if (text === undefined) throw new AppError('notFound', `there is no ${path}`);
      return text;
    },
    readBytes: async (path: string, from: number, length: number) =>
      new TextEncoder().encode(files.get(path)).slice(from, from + length),
    stat: async (path: string) => {
      const text = files.get(path);
      return text === undefined ? undefined : { sizeBytes: text.length };
    },
    writeText: async (path: string, text: string) => void files.set(path, text),
    makeDirectory: async () => undefined,
    remove: async (path: string) => void files.delete(path),
  };
  return Object.assign(machine, {
    host: { name: 'kube1', run, files: hostFiles, processes } as unknown as MachineHost,
  });
}

const agentOn = ({ host, clock }: Machine): NfsServer =>
  createGaneshaServer({ host, clock, bricksOf: async () => [BRICK] });

describe('the server of a node', () => {
  it('is started with the first export, told of changes, and ended with the last', async () => {
    const machine = createMachine();
    const server = agentOn(machine);
    expect(await server.serve([], signal)).toEqual([]);
    expect(await server.serve([exported()], signal)).toEqual([{ path: '/gv7', connectedCopies: 1, copies: 1 }]);
    await server.serve([exported()], signal);
    await server.serve([exported(), exported(8)], signal);
    await server.serve([exported(8, ['10.10.1.1'])], signal);
    expect(machine.files.get(SERVER_PATHS.configuration)).toContain('Clients = 10.10.1.1;');
    expect(machine.files.get(SERVER_PATHS.configuration)).not.toContain('gv7');
    await server.serve([], signal);
    expect(machine.deeds).toEqual(['start 101', 'tell 101', 'tell 101', 'stop 101']);
    expect([...machine.files.keys()].filter((path) => path.startsWith('/run/'))).toEqual([]);
  });

  it('is found by the agent that comes next, which ends it when nothing is exported any more', async () => {
    const machine = createMachine();
    await agentOn(machine).serve([exported()], signal);
    await agentOn(machine).serve([exported()], signal);
    await agentOn(machine).serve([], signal);
    expect(machine.deeds).toEqual(['start 101', 'stop 101']);
  });

  it('is found by its own file when the agent was killed before it had recorded it, and only if it is surely ours', async () => {
    const machine = createMachine();
    await agentOn(machine).serve([exported()], signal);
    machine.files.delete('/run/holdfast/nfs-server.json');
    machine.files.set(SERVER_PATHS.pidFile, '101\n');
    machine.files.set('/proc/101/stat', `101 (a) b) S 1 ${'0 '.repeat(17)}1010 0`);
    machine.files.set('/proc/101/cmdline', '/usr/bin/ganesha.nfsd\0-f\0/etc/ganesha/ganesha.conf\0');
    await agentOn(machine).serve([], signal);
    expect(machine.deeds).toEqual(['start 101']);
    machine.files.set(SERVER_PATHS.pidFile, '101\n');
    machine.files.set('/proc/101/cmdline', `/usr/bin/ganesha.nfsd\0-f\0${SERVER_PATHS.configuration}\0`);
    await agentOn(machine).serve([], signal);
    expect(machine.deeds).toEqual(['start 101', 'stop 101']);
  });

  it('is another one where what it was started with does not hold any more', async () => {
    const machine = createMachine();
    await agentOn(machine).serve([exported()], signal);
    const record = machine.files.get('/run/holdfast/nfs-server.json') ?? '';
    machine.files.set('/run/holdfast/nfs-server.json', record.replace('Grace_Period = 20', 'Grace_Period = 90'));
    await agentOn(machine).serve([exported()], signal);
    expect(machine.deeds).toEqual(['start 101', 'stop 101', 'start 102']);
  });

  it('is started again at once when it died, and later each time while it goes on dying', async () => {
    const machine = createMachine();
    const server = agentOn(machine);
    await server.serve([exported()], signal);
    machine.alive = undefined;
    await server.serve([exported()], signal);
    expect(machine.deeds).toEqual(['start 101', 'start 102']);

    machine.alive = undefined;
    machine.lastWords = 'x :NFS STARTUP :FATAL :Cannot bind';
    const starts: number[] = [];
    for (let second = 0; second < 600; second += 1) {
      const before = machine.deeds.length;
      await expect(server.serve([exported()], signal)).rejects.toMatchObject({
        reason: 'NfsServerEnded',
      });
      if (machine.deeds.length > before) starts.push(second);
      await machine.clock.advance(1_000);
    }
    await expect(server.serve([exported()], signal)).rejects.toThrow(/Cannot bind; it is started again in/);
    const waits = starts.map((at, index) => at - (starts[index - 1] ?? 0));
    expect(waits).toEqual([5, 10, 20, 40, 80, 120, 120, 120]);

    machine.lastWords = undefined;
    await machine.clock.advance(120_000);
    expect(await server.serve([exported()], signal)).toMatchObject([{ connectedCopies: 1 }]);
  });

  it('is asked once more for what it could not reach, and that is said', async () => {
    const machine = createMachine();
    machine.isConnected = false;
    const server = agentOn(machine);
    expect(await server.serve([exported()], signal)).toMatchObject([
      { connectedCopies: 0, message: expect.stringContaining('reaches no copy of gv7') },
    ]);
    await server.serve([exported()], signal);
    expect(machine.deeds).toEqual(['start 101']);
    machine.isConnected = true;
    await machine.clock.advance(5_000);
    expect(await server.serve([exported()], signal)).toEqual([{ path: '/gv7', connectedCopies: 1, copies: 1 }]);
    await server.serve([exported()], signal);
    expect(machine.deeds).toEqual(['start 101', 'tell 101']);
  });

  it('asks the engine again soon while the volume is not whole, and seldom while it is', async () => {
    const machine = createMachine();
    const answers: (readonly (typeof BRICK)[] | Error)[] = [];
    let asked = 0;
    const bricksOf = async () => {
      asked += 1;
      const answer = answers.shift() ?? [BRICK];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const server = createGaneshaServer({ host: machine.host, clock: machine.clock, bricksOf });
    const lookAfter = async (ms: number, copies = 1) => {
      await machine.clock.advance(ms);
      const [look] = await server.serve([{ ...exported(), copies }], signal);
      return { ...look, asked };
    };
    // Served all the same; who waits for all copies goes on waiting.
    answers.push(new AppError('conflict', 'another transaction is in progress'));
    expect(await lookAfter(0)).toEqual({ path: '/gv7', connectedCopies: 0, copies: 0, asked: 1 });
    expect(await lookAfter(0)).toEqual({ path: '/gv7', connectedCopies: 1, copies: 1, asked: 2 });
    expect(await lookAfter(50_000)).toMatchObject({ connectedCopies: 1, asked: 2 });
    expect(await lookAfter(11_000)).toMatchObject({ asked: 3 });
    answers.push(new AppError('unavailable', 'glusterd is away'));
    expect(await lookAfter(61_000)).toMatchObject({ connectedCopies: 1, copies: 1, asked: 4 });
    // Another copy has come.
    expect(await lookAfter(1_000, 2)).toMatchObject({ copies: 1, asked: 4 });
    answers.push([BRICK, { ...BRICK, port: 49_153 }]);
    expect(await lookAfter(2_000, 2)).toMatchObject({ connectedCopies: 1, copies: 2, asked: 5 });
    expect(await lookAfter(1_000, 2)).toMatchObject({ asked: 5 });
    expect(await lookAfter(2_000, 2)).toMatchObject({ asked: 6 });
  });

  it('has logs that end somewhere', async () => {
    const machine = createMachine();
    machine.files.set(SERVER_PATHS.log, 'x'.repeat(9 * 1024 ** 2));
    machine.files.set(SERVER_PATHS.engineLog, 'short');
    await agentOn(machine).serve([exported()], signal);
    expect(machine.files.get(SERVER_PATHS.log)).toBe('NFS SERVER INITIALIZED\n');
    expect(machine.files.get(`${SERVER_PATHS.log}.1`)).toHaveLength(9 * 1024 ** 2);
    expect(machine.files.get(SERVER_PATHS.engineLog)).toBe('short');
  });
});

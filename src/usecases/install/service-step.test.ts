import { expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { unitText } from '../../domain/install/services.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import type { RemoteHost } from '../../ports/remote-host.ts';
import type { Target } from './install-deps.ts';
import { servicesStep } from './service-step.ts';

const CLOCK = createFakeClock();
const AGENT = { name: 'agent', description: 'Holdfast agent of kube1', argv: ['/opt/node', 'main.mjs', 'node'] };
const UNIT = '/etc/systemd/system/holdfast-agent.service';
const RELEASE = { name: '1.0.0-abc', machine: 'x86_64', node: '', entry: '', chunks: [] };

/** A machine with systemd, in memory. */
function createMachine() {
  const texts = new Map<string, string>();
  const active = new Set<string>();
  const calls: string[] = [];
  const host = {
    run: async ({ args }: { args: readonly string[] }) => {
      const [verb = '', ...rest] = args;
      const unit = rest.at(-1) ?? '';
      if (verb !== 'is-active') calls.push(args.join(' '));
      if (verb === 'restart') active.add(unit);
      return { stdout: '', stderr: '', code: verb === 'is-active' && !active.has(unit) ? 3 : 0 };
    },
    files: {
      readText: async (path: string) => {
        const text = texts.get(path);
        if (text === undefined) throw new AppError('notFound', `no ${path}`);
        return text;
      },
      writeText: async (path: string, text: string) => void texts.set(path, text),
    },
  } as unknown as RemoteHost;
  const target = { host, hasSystemd: true } as unknown as Target;
  return { target, texts, active, calls };
}

test('with systemd a service is a unit that is enabled and started, once', async () => {
  const { target, texts, calls } = createMachine();
  const step = servicesStep(CLOCK, RELEASE, () => [AGENT]);
  expect(await step.look(target)).toBe('start agent');
  await step.act(target, AbortSignal.timeout(1_000));
  expect(texts.get(UNIT)).toBe(unitText(AGENT));
  expect(calls).toEqual(['daemon-reload', 'enable --quiet holdfast-agent.service', 'restart holdfast-agent.service']);
  expect(await step.look(target)).toBeUndefined();
});

test('another command line, or a service that has stopped, is started again', async () => {
  const { target, active } = createMachine();
  await servicesStep(CLOCK, RELEASE, () => [AGENT]).act(target, AbortSignal.timeout(1_000));
  const newer = servicesStep(CLOCK, RELEASE, () => [{ ...AGENT, argv: ['/opt/newer/node'] }]);
  expect(await newer.look(target)).toBe('start agent');
  await newer.act(target, AbortSignal.timeout(1_000));
  expect(await newer.look(target)).toBeUndefined();
  active.clear();
  expect(await newer.look(target)).toBe('start agent');
});

/** The demo as a person runs it: killed, interrupted at any moment, and to its end; it never leaves anything behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLocalHost } from '../../src/adapters/host/local-host.ts';
import { LABS_FOLDER } from '../../src/adapters/lab/layout.ts';
import { createSystemClock } from '../../src/adapters/system/clock.ts';

const ROOT = join(import.meta.dirname, '../..');
const machine = createLocalHost({ clock: createSystemClock() });

interface DemoRun {
  readonly process: ChildProcess;
  /** Resolves when a line of progress holds the text. */
  said(text: string): Promise<void>;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

function startDemo(...args: string[]): DemoRun {
  const child = spawn(process.execPath, [join(ROOT, 'bin/holdfast.mjs'), 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  const ended = new Promise<Awaited<DemoRun['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr: lines.join('\n') });
      wake();
    });
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (lines.some((line) => line.includes(text))) resolve();
        else if (child.exitCode !== null)
          reject(new Error(`the demo ended without saying "${text}":\n${lines.join('\n')}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  return { process: child, said, ended };
}

/** What of a demo is still on this machine. */
async function leftovers(): Promise<string[]> {
  const labs = (await readdir(LABS_FOLDER).catch(() => []))
    .filter((name) => name === 'demo')
    .map((name) => `lab ${name}`);
  const loops = await machine.run({
    file: 'losetup',
    args: ['--list', '--noheadings', '--output', 'NAME,BACK-FILE'],
    timeoutMs: 10_000,
  });
  const images = loops.stdout.split('\n').filter((line) => line.includes(`${LABS_FOLDER}/demo/`));
  return [...labs, ...images, ...(await labProcesses())];
}

async function labProcesses(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return commandLine.includes(`${LABS_FOLDER}/demo/`)
        ? `process ${pid} ${commandLine.replaceAll('\0', ' ')}`
        : undefined;
    }),
  );
  return found.filter((process) => process !== undefined);
}

describe('holdfast demo', () => {
  beforeAll(async () => {
    const found = await leftovers();
    const advice = 'an earlier demo was kept: remove it with "holdfast lab down --name demo"';
    if (found.length > 0) throw new Error([advice, ...found].join('\n'));
  });

  it.each(['starting a lab', 'applying the plan', 'copies prepared', 'powering off'])(
    'leaves nothing behind when it is interrupted after "%s"',
    async (moment) => {
      const demo = startDemo();
      await demo.said(moment);
      demo.process.kill('SIGINT');
      const { code, stdout } = await demo.ended;
      expect(code).toBe(130);
      expect(stdout).toBe('');
      expect(await leftovers()).toEqual([]);
    },
  );

  it('proves that nothing is lost, prints one JSON object, and clears what a killed run left behind', async () => {
    const killed = startDemo('--keep');
    await killed.said('records acknowledged');
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(await leftovers()).not.toEqual([]);

    const demo = startDemo('--json');
    const { code, stdout, stderr } = await demo.ended;
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ lost: 0, torn: 0, reordered: 0, duplicated: 0, copiesEqual: true });
    expect(report.acknowledged).toBeGreaterThan(500);
    for (const key of ['longestStallSeconds', 'healSeconds', 'secondsToMounted', 'totalSeconds']) {
      expect(report[key]).toBeGreaterThan(0);
    }
    expect(report.kubeconfig).toContain('admin.kubeconfig');
    expect(await leftovers()).toEqual([]);
  });

  it('refuses a plan that it cannot play, and changes nothing', async () => {
    const demo = startDemo('--plan', join(ROOT, 'package.json'));
    const { code, stderr } = await demo.ended;
    expect(code).toBe(2);
    expect(stderr).toContain('package.json');
    expect(await leftovers()).toEqual([]);
  });
});

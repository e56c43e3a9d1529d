/** Where this project is and how its tools are started: with the pinned Node and the programs of node_modules first. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT: string = dirname(dirname(fileURLToPath(import.meta.url)));

export interface ToolCall {
  readonly file: string;
  readonly args: readonly string[];
  /** After this the tool and everything it started are killed, and it counts as failed. */
  readonly timeoutMs: number;
  /** 'capture' keeps the output for the caller, 'show' lets it through as it comes. */
  readonly output: 'capture' | 'show';
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ToolResult {
  /** 0 is success; 124 is a timeout; 127 a program that could not be started; 128 + n a death by signal n. */
  readonly code: number;
  /** stdout and stderr as they came; empty when shown. */
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program to its end. Never throws for what the program does. */
export async function runTool(call: ToolCall): Promise<ToolResult> {
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  const stdio = call.output === 'show' ? 'inherit' : 'pipe';
  const child = spawn(call.file, call.args, {
    cwd: call.cwd ?? ROOT,
    // Its own process group, so that a timeout ends its children too.
    detached: true,
    stdio: ['ignore', stdio, stdio],
    env: { ...process.env, PATH: toolPath(), ...call.env },
  });
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const stopGroup = (): void => killGroup(child.pid);
  process.once('exit', stopGroup);
  let hasTimedOut = false;
  const timer = setTimeout(() => {
    hasTimedOut = true;
    stopGroup();
  }, call.timeoutMs);
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      chunks.push(Buffer.from(`${call.file}: ${error.message}\n`));
      resolve(127);
    });
    child.once('close', (exitCode, signal) => resolve(exitCode ?? (signal === null ? 1 : 128)));
  });
  clearTimeout(timer);
  process.removeListener('exit', stopGroup);
  if (hasTimedOut) chunks.push(Buffer.from(`\n${call.file} was stopped after ${call.timeoutMs / 1000} s\n`));
  const seconds = (performance.now() - startedAt) / 1000;
  return { code: hasTimedOut ? 124 : code, output: Buffer.concat(chunks).toString('utf8'), seconds };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended by itself in the meantime
  }
}

function toolPath(): string {
  return [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'].join(delimiter);
}

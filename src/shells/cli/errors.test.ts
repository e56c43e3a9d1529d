import { describe, expect, test } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { reportError } from './errors.ts';

function report(
  error: unknown,
  options: { readonly env?: Record<string, string>; readonly isAborted?: boolean; readonly isTTY?: boolean } = {},
) {
  let text = '';
  const stderr = { write: (part: string) => (text += part), isTTY: options.isTTY ?? false };
  const signal = options.isAborted === true ? AbortSignal.abort() : new AbortController().signal;
  const code = reportError(error, { stderr, signal, env: options.env ?? {} });
  return { code, text };
}

describe('reportError', () => {
  test('message, faults with their places, next step, and the code of the kind', () => {
    const faults = [
      { field: 'storage.nodes[1].ip', message: 'is wrong', line: 8, column: 9 },
      { field: 'node kube3', message: 'full' },
    ];
    expect(report(new AppError('capacity', 'no room', { faults, hint: 'add a node' }))).toEqual({
      code: 6,
      text: 'error: no room\n  line 8, column 9: storage.nodes[1].ip: is wrong\n  node kube3: full\nhint: add a node\n',
    });
  });

  test('many faults are counted', () => {
    const faults = Array.from({ length: 60 }, () => ({ field: 'f', message: 'm' }));
    expect(report(new AppError('invalid', 'wrong', { faults })).text).toMatch(/ {2}f: m\n {2}and 10 more\n$/);
  });

  test('a failure that is a mistake of ours says so, and shows its stack only when asked', () => {
    const bug = new TypeError('x is undefined');
    expect(report(bug)).toEqual({
      code: 1,
      text: 'error: x is undefined\nhint: this is a mistake in Holdfast; HOLDFAST_DEBUG=1 shows where\n',
    });
    expect(report(bug, { env: { HOLDFAST_DEBUG: '1' } }).text).toContain('errors.test.ts');
  });

  test('an interrupt is told as one, whatever it broke', () => {
    expect(report(new Error('AbortError'), { isAborted: true })).toEqual({ code: 130, text: 'interrupted\n' });
    expect(report(new AppError('cancelled', 'x'), { isAborted: true })).toEqual({ code: 130, text: 'interrupted\n' });
    expect(report(new AppError('dataLoss', 'lost'), { isAborted: true }).code).toBe(8);
  });

  test('text from elsewhere cannot steer the terminal', () => {
    expect(report(new AppError('internal', 'a\u001b[2Jb\u0007')).text).toBe('error: ab?\n');
  });

  test('colour only on a terminal, and never with NO_COLOR', () => {
    const error = new AppError('invalid', 'x');
    expect(report(error, { isTTY: true }).text).toBe('\u001b[31merror:\u001b[39m x\n');
    expect(report(error, { isTTY: true, env: { NO_COLOR: '1' } }).text).toBe('error: x\n');
    expect(report(error).text).toBe('error: x\n');
  });
});

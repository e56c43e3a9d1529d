import { describe, expect, it } from 'vitest';
import { AppError } from '../../domain/errors.ts';
import { createFakeClock } from '../../ports/clock.fake.ts';
import { createLogger, type LoggerOptions } from './logger.ts';

function setUp(options: Pick<LoggerOptions, 'level' | 'format'>) {
  const lines: string[] = [];
  const log = createLogger({ clock: createFakeClock() }, { ...options, write: (line) => lines.push(line) });
  return { log, lines };
}

describe('createLogger', () => {
  it('writes JSON with time, level, message and fields, and errors as fields', () => {
    const { log, lines } = setUp({ level: 'info', format: 'json' });
    const error = new AppError('conflict', 'volume gv0 changed', { reason: 'Conflict', hint: 'read it again' });
    log.child({ controller: 'volume' }).warn('reconcile failed', { key: 'gv0', err: error });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ level: 'warn', ts: '2026-01-01T00:00:00.000Z', msg: 'reconcile failed', controller: 'volume', key: 'gv0' },
        err: { kind: 'conflict', message: 'volume gv0 changed', reason: 'Conflict', hint: 'read it again' },
      },
    ]);
    expect(lines[0]?.endsWith('\n')).toBe(true);
  });

  it('keeps the stack of what nobody foresaw', () => {
    const { log, lines } = setUp({ level: 'info', format: 'json' });
    log.error('reconcile failed', { err: new TypeError('x is not a function') });
    expect(lines[0]).toContain('logger.test.ts');
  });

  it('writes one readable line as text', () => {
    const { log, lines } = setUp({ level: 'debug', format: 'text' });
    log.debug('watch broke', { kind: 'Volume', why: 'no answer' });
    expect(lines).toEqual(['2026-01-01T00:00:00.000Z debug watch broke kind=Volume why="no answer"\n']);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = setUp({ level: 'warn', format: 'json' });
    log.info('became leader');
    log.debug('reconcile stopped');
    expect(lines).toEqual([]);
  });

  it('never writes a secret', () => {
    const { log, lines } = setUp({ level: 'info', format: 'json' });
    log.info('volume is mounted', { token: 'hunter2', request: { secrets: { key: 'hunter2' }, volume: 'gv0' } });
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('gv0');
  });
});

/** A Logger that keeps what was logged, for tests to read. */
import type { LogFields, Logger } from './logger.ts';

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface FakeLogger extends Logger {
  /** Everything logged so far through this logger and its children, in order. */
  readonly entries: readonly LogEntry[];
}

/** Creates a logger that records its entries. */
export function createFakeLogger(): FakeLogger {
  const entries: LogEntry[] = [];
  const at = (context: LogFields): Logger => {
    const write =
      (level: LogEntry['level']) =>
      (message: string, fields: LogFields = {}): void => {
        entries.push({ level, message, fields: { ...context, ...fields } });
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => at({ ...context, ...fields }),
    };
  };
  return { ...at({}), entries };
}

/** Logs through pino: JSON lines for machines, or one readable line each; the only file that imports pino. */
import { pino } from 'pino';
import { AppError, messageOf } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LogFields, Logger } from '../../ports/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Where complete lines go; standard error in the product, since standard output carries data. */
  readonly write: (line: string) => void;
}

/** Field names whose values are never logged, at the top or one level down. */
const SECRET_FIELDS = ['secrets', 'token', 'password', 'passphrase', 'privateKey', 'authorization'];

/** Creates the logger of a role; fields of every entry are `ts`, `level`, `msg` and what the caller adds. */
export function createLogger(deps: { readonly clock: Clock }, options: LoggerOptions): Logger {
  const sink = { write: options.format === 'json' ? options.write : (line: string) => options.write(asText(line)) };
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date(deps.clock.now()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError },
      redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '(hidden)' },
    },
    sink,
  );
  return wrap(logger);
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** An error as fields. The stack is kept for bugs only: for a named failure, message and hint say what to do. */
function describeError(error: unknown): LogFields {
  if (!(error instanceof AppError)) {
    return { kind: 'internal', message: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
  }
  return {
    kind: error.kind,
    message: error.message,
    reason: error.reason,
    resource: error.resource,
    hint: error.hint,
    faults: error.faults.length > 0 ? error.faults : undefined,
    stack: error.kind === 'internal' ? error.stack : undefined,
    cause: error.cause === undefined ? undefined : messageOf(error.cause),
  };
}

/** `2026-01-02T03:04:05.006Z warn  message key=value`, from pino's JSON line. */
function asText(line: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  return `${[String(ts), String(level).padEnd(5), String(msg), ...pairs].join(' ')}\n`;
}

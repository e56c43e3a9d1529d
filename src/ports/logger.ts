/** Logging as a port: the message is a constant sentence, everything that varies goes into fields. */

/**
 * Fields beside the message. Names that log readers rely on: controller, volume, node, key, trace, and `err` for the
 * thrown thing, which the adapter writes as kind, message, reason and hint.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each entry. */
  child(fields: LogFields): Logger;
}

/** How much a role logs, and in which form; chosen by its flags. */
export interface LogChoice {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'text';
}

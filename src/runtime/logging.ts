import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { LogFields, Logger } from '../lib/logger.js';
import { redact, redactText } from '../lib/redact.js';
import type { LogLevel } from './log-level.js';

/** How a log is made. */
export interface LoggingOptions {
  /** Lines below it are not written; default `info`. */
  readonly level?: LogLevel | undefined;
  /** Where lines go; default standard output, written synchronously so that the last words of a process are kept. */
  readonly destination?: DestinationStream | undefined;
  /** On every line. */
  readonly fields?: LogFields | undefined;
}

/** A log of JSON lines with `level`, `time` (RFC 3339), `msg` and the fields, secrets censored. */
export function createLogger(options: LoggingOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  const root = pino(settings, options.destination ?? destination({ dest: 1, sync: true }));
  return new JsonLogger(root, options.fields ?? {});
}

/** Keys that pino writes itself; a field of that name would make the line ambiguous. */
const RESERVED = ['level', 'time', 'msg'] as const;

class JsonLogger implements Logger {
  readonly #pino: PinoLogger;
  readonly #fields: LogFields;

  constructor(root: PinoLogger, fields: LogFields) {
    this.#pino = root;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new JsonLogger(this.#pino, { ...this.#fields, ...fields });
  }

  #write(level: LogLevel, message: string, fields?: LogFields): void {
    // Censoring costs more than the line; don't do it for lines that nobody sees.
    if (!this.#pino.isLevelEnabled(level)) return;
    const safe = redact({ ...this.#fields, ...fields }) as Record<string, unknown>;
    for (const key of RESERVED) {
      if (!(key in safe)) continue;
      safe[`${key}Field`] = safe[key];
      Reflect.deleteProperty(safe, key);
    }
    this.#pino[level](safe, redactText(message));
  }
}

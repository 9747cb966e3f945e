/**
 * The logger's maker: the one place that knows winston.
 *
 * Promises: in production one JSON object a line (timestamp, level, message, then the fields), at most
 * LINE_BYTES_MAX bytes of UTF-8, because Heroku's log router cuts longer lines and half an object can't be
 * parsed; in a terminal one readable line. Leaves to the callers that no peer's address and no secret is
 * ever given to it.
 */
import winston from 'winston';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export type LogValue = string | number | boolean | null | undefined | readonly LogValue[] | LogFields;
export interface LogFields {
  readonly [name: string]: LogValue;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** Less urgent messages than this are dropped. */
  readonly level: LogLevel;
  /** For a person at a terminal instead of a log collector. */
  readonly isReadable: boolean;
  /** Where the lines go: standard output when absent. */
  readonly stream?: NodeJS.WritableStream | undefined;
}

/** A line with its newline; Heroku's limit is 10 KB. */
export const LINE_BYTES_MAX = 10_000;
/** What is left of a text or a list when its line was too long, halved until the line fits. */
const TEXT_CHARACTERS_KEPT = 2_048;

interface Entry {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

export function createLog(options: LogOptions): Log {
  const line = options.isReadable ? readableLine : jsonLine;
  const transport =
    options.stream === undefined
      ? new winston.transports.Console()
      : new winston.transports.Stream({ stream: options.stream });
  const logger = winston.createLogger({
    level: options.level,
    format: winston.format.combine(
      winston.format.timestamp(),
      winston.format.printf((info) => line(info as unknown as Entry)),
    ),
    transports: [transport],
  });
  // The fields travel under one name: winston would append a field called `message` to the message.
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    logger.log({ level, message, fields: fields ?? {} });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** What a caught value says, as fields: its message, its code, and where it was thrown when `withStack`. */
export function errorFields(error: unknown, withStack = false): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const code = (error as NodeJS.ErrnoException).code;
  return {
    error: error.message,
    code: typeof code === 'string' ? code : undefined,
    stack: withStack ? error.stack : undefined,
  };
}

function jsonLine(entry: Entry): string {
  const { timestamp, level, message, fields } = entry;
  const whole = JSON.stringify({ timestamp, level, message, ...withoutHead(fields) });
  if (fits(whole)) return whole;
  for (let kept = TEXT_CHARACTERS_KEPT; kept >= 16; kept >>= 1) {
    const cut = cutTexts(fields, kept) as LogFields;
    const shorter = { timestamp, level, message: cutText(message, kept), isCut: true, ...withoutHead(cut) };
    const text = JSON.stringify(shorter);
    if (fits(text)) return text;
  }
  return JSON.stringify({ timestamp, level, message: cutText(message, TEXT_CHARACTERS_KEPT), isCut: true });
}

function readableLine({ timestamp, level, message, fields }: Entry): string {
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const line = [timestamp.slice(11, 19), level.padEnd(5), message, ...details].join(' ');
  return fits(line) ? line : `${line.slice(0, TEXT_CHARACTERS_KEPT)} …`;
}

/** A field may not pass for the line's own time, level or message. */
function withoutHead(fields: LogFields): LogFields {
  const { timestamp: _timestamp, level: _level, message: _message, ...rest } = fields;
  return rest;
}

function cutTexts(value: LogValue, kept: number): LogValue {
  if (typeof value === 'string') return cutText(value, kept);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.slice(0, kept >> 4).map((element) => cutTexts(element, kept));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, kept >> 4)
      .map(([name, inner]) => [name, cutTexts(inner, kept)]),
  );
}

function cutText(text: string, kept: number): string {
  return text.length <= kept ? text : `${text.slice(0, kept)}…`;
}

function fits(line: string): boolean {
  return line.length * 3 < LINE_BYTES_MAX || Buffer.byteLength(line) < LINE_BYTES_MAX;
}

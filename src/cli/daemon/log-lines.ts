/** The tracker's log file, read from where a command began to look: what the last lines say, in a readable form. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** One line of the log; what is no JSON (a crash's trace) stands in `message` alone. */
export interface LoggedLine {
  readonly level: string | undefined;
  readonly message: string;
}

const BYTES_MAX = 64 * 1024;

/** Bytes of the file; 0 when there is none. */
export function logSize(path: string): number {
  return withFile(path, (file) => fstatSync(file).size) ?? 0;
}

/** The lines that were written since the file had `from` bytes; of many the last ones. */
export function linesSince(path: string, from: number): readonly LoggedLine[] {
  const text = withFile(path, (file) => {
    const { size } = fstatSync(file);
    // A log that was cut since then begins anew.
    const start = Math.max(size < from ? 0 : from, size - BYTES_MAX);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  });
  return (text ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine);
}

/** The last lines, each indented, for a message. */
export function lastLines(lines: readonly LoggedLine[], count = 10): string {
  return lines
    .slice(-count)
    .map(({ level, message }) => `  ${level === undefined ? '' : `${level}: `}${message}`)
    .join('\n');
}

function parseLine(text: string): LoggedLine {
  try {
    const { level, message, ...fields } = JSON.parse(text);
    const { timestamp: _timestamp, ...rest } = fields;
    const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
    if (typeof message === 'string') return { level, message: `${message}${more}` };
  } catch {
    // no JSON: the line itself is the message
  }
  return { level: undefined, message: text };
}

function withFile<T>(path: string, read: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined; // there is no log (yet), or none that may be read
  }
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Reads a list of info hashes from text, in lines as protocol/hash-line.ts has them. What is no hash is told by the number
 * of its line, never by what stands there. Done in slices: a long list must not hold up announces.
 */
import { readHashLine } from '../../protocol/hash-line.ts';
import { type MonotonicMs, runInSlices } from '../../slices.ts';

/** Line numbers that an answer names; the rest are only counted. */
export const INVALID_LINES_MAX = 1_000;
const LINES_PER_STEP = 128;
/** The longest magnet link that is read; they grow with each tracker that they name. */
const LINE_BYTES_MAX = 16 * 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

export interface HashLines {
  /** In their order, repeated ones too. */
  readonly hashes: readonly Uint8Array[];
  /** Numbers, from 1, of the first lines that are no hash. */
  readonly invalid: readonly number[];
  readonly invalidCount: number;
}

export async function parseHashLines(body: Buffer, monotonicMs: MonotonicMs): Promise<HashLines> {
  const hashes: Uint8Array[] = [];
  const invalid: number[] = [];
  let invalidCount = 0;
  let number = 0;
  let at = 0;
  const readLine = (): void => {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline < 0 ? body.length : newline;
    const isTooLong = end - at > LINE_BYTES_MAX;
    const line = isTooLong ? '?' : body.toString('latin1', at, end).replace(BYTE_ORDER_MARK, '');
    at = end + 1;
    number += 1;
    const infoHash = readHashLine(line);
    if (infoHash === 'nothing') return;
    if (infoHash !== undefined) {
      hashes.push(infoHash);
      return;
    }
    invalidCount += 1;
    if (invalid.length < INVALID_LINES_MAX) invalid.push(number);
  };
  const step = (): boolean => {
    for (let count = 0; count < LINES_PER_STEP && at < body.length; count++) readLine();
    return at < body.length;
  };
  await runInSlices(step, { monotonicMs });
  return { hashes, invalid, invalidCount };
}

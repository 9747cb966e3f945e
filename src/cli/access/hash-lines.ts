/**
 * The files that `import` reads and `export` writes, one info hash a line. Lines of text are those of
 * protocol/hash-line.ts, which the admin API and its page read too. Lines in JSON bring their own reason, and only the
 * command reads them:
 *
 *   {"infoHash":"0123…","reason":"…","changedAt":"…"}
 */
import { readHashLine } from '../../protocol/hash-line.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import { infoHashFrom } from '../../protocol/magnet.ts';
import { oneLine } from '../terminal/one-line.ts';
import type { ListedEntry } from './hash-lists.ts';

export interface HashLines {
  /** By reason, in their order, each hash once. */
  readonly byReason: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly count: number;
  /** Numbers, from 1, of the lines that hold no hash. */
  readonly invalid: readonly number[];
}

/** `reason`: of lines that bring none. */
export function parseHashLines(text: string, reason: string): HashLines {
  const byReason = new Map<string, Uint8Array[]>();
  const seen = new Set<string>();
  const invalid: number[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const found = line.trimStart().startsWith('{') ? parseJson(line) : parsePlain(line);
    if (found === 'nothing') continue;
    if (found === undefined) {
      invalid.push(index + 1);
      continue;
    }
    const hex = formatInfoHash(found.infoHash);
    if (seen.has(hex)) continue;
    seen.add(hex);
    const its = found.reason ?? reason;
    const group = byReason.get(its);
    if (group === undefined) byReason.set(its, [found.infoHash]);
    else group.push(found.infoHash);
  }
  return { byReason, count: seen.size, invalid };
}

/** What `parseHashLines` reads, as text or as a JSON line. */
export function hashLine({ infoHash, reason, changedAt }: ListedEntry, isJson: boolean): string {
  if (isJson) return `${JSON.stringify({ infoHash, reason, changedAt })}\n`;
  return `${infoHash}  # ${oneLine(`${changedAt} ${reason}`).trim()}\n`;
}

/** "3, 5 to 9 and 12": which lines, for people; of many the first. */
export function lineNumbers(numbers: readonly number[], shownMax = 20): string {
  const runs: string[] = [];
  for (let at = 0; at < numbers.length && runs.length < shownMax; ) {
    let end = at;
    while (numbers[end + 1] === numbers[end]! + 1) end += 1;
    runs.push(end === at ? `${numbers[at]}` : `${numbers[at]} to ${numbers[end]}`);
    at = end + 1;
    if (runs.length === shownMax && at < numbers.length)
      return `${runs.join(', ')} and ${numbers.length - at} more`;
  }
  const last = runs.pop() ?? '';
  return runs.length === 0 ? last : `${runs.join(', ')} and ${last}`;
}

interface Found {
  readonly infoHash: Uint8Array;
  readonly reason: string | undefined;
}

function parsePlain(line: string): Found | 'nothing' | undefined {
  const infoHash = readHashLine(line);
  return infoHash instanceof Uint8Array ? { infoHash, reason: undefined } : infoHash;
}

function parseJson(line: string): Found | undefined {
  try {
    const { infoHash: text, reason } = JSON.parse(line);
    const infoHash = typeof text === 'string' ? infoHashFrom(text) : undefined;
    if (infoHash === undefined || (reason !== undefined && typeof reason !== 'string')) return undefined;
    return { infoHash, reason };
  } catch {
    return undefined; // then the line's number is told
  }
}

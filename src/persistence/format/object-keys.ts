/**
 * The names of objects (rules D-O1, D-O2): each carries the boot id of the one process that wrote it, and numbers
 * have a fixed width, so that byte order is the order of numbers.
 *
 *   snapshots/<number>-<boot>/part-<n>   snapshots/<number>-<boot>/manifest
 *   access/<boot>/<sequence>             journal/<boot>/<sequence>
 */

export const SNAPSHOTS_PREFIX = 'snapshots/';
export const ACCESS_PREFIX = 'access/';
export const JOURNAL_PREFIX = 'journal/';
/** All that a tracker writes lies below these. */
export const PREFIXES: readonly string[] = [SNAPSHOTS_PREFIX, ACCESS_PREFIX, JOURNAL_PREFIX];

const NUMBER_DIGITS = 10;
/** From here on a number is not one that somebody counted to, and there must always be a next. */
const SNAPSHOT_NUMBER_END = 10 ** (NUMBER_DIGITS - 1);
const PART_DIGITS = 5;
const BOOT_ID = '[a-z0-9]{8,32}';
const IS_BOOT_ID = new RegExp(`^${BOOT_ID}$`);
const SNAPSHOT_KEY = new RegExp(
  `^${SNAPSHOTS_PREFIX}(\\d{${NUMBER_DIGITS}})-(${BOOT_ID})/(?:manifest|part-(\\d{${PART_DIGITS}}))$`,
);
const SNAPSHOT_NAME = new RegExp(`^(?:${SNAPSHOTS_PREFIX})?(\\d{1,${NUMBER_DIGITS}})(?:-(${BOOT_ID}))?/?$`);
const ACCESS_KEY = new RegExp(`^${ACCESS_PREFIX}(${BOOT_ID})/(\\d{${NUMBER_DIGITS}})$`);
const JOURNAL_KEY = new RegExp(`^${JOURNAL_PREFIX}(${BOOT_ID})/(\\d{${NUMBER_DIGITS}})$`);

/** Which snapshot: ordered by number, then by boot id. */
export interface SnapshotId {
  readonly number: number;
  readonly boot: string;
}

export interface SnapshotKey extends SnapshotId {
  /** undefined: the manifest. */
  readonly part: number | undefined;
}

export function assertBootId(boot: string): void {
  if (!IS_BOOT_ID.test(boot)) throw new RangeError(`not a boot id: ${JSON.stringify(boot)}`);
}

/** The folder of a snapshot, with its slash. */
export function snapshotPrefix({ number, boot }: SnapshotId): string {
  return `${SNAPSHOTS_PREFIX}${digits(number, NUMBER_DIGITS)}-${boot}/`;
}

export function manifestKey(id: SnapshotId): string {
  return `${snapshotPrefix(id)}manifest`;
}

/** Parts count from 0. */
export function partKey(id: SnapshotId, part: number): string {
  return `${snapshotPrefix(id)}part-${digits(part, PART_DIGITS)}`;
}

export function accessKey(boot: string, sequence: number): string {
  return `${ACCESS_PREFIX}${boot}/${digits(sequence, NUMBER_DIGITS)}`;
}

/** Segments of one boot count from 1. */
export interface SegmentId {
  readonly boot: string;
  readonly sequence: number;
}

export function segmentKey({ boot, sequence }: SegmentId): string {
  return `${JOURNAL_PREFIX}${boot}/${digits(sequence, NUMBER_DIGITS)}`;
}

/** undefined for a key that is not of a segment: somebody else's object, which is left alone. */
export function parseSegmentKey(key: string): SegmentId | undefined {
  const match = JOURNAL_KEY.exec(key);
  return match === null ? undefined : { boot: match[1]!, sequence: Number(match[2]) };
}

/** undefined for a key that is not of a snapshot: somebody else's object, which is left alone. */
export function parseSnapshotKey(key: string): SnapshotKey | undefined {
  const match = SNAPSHOT_KEY.exec(key);
  if (match === null) return undefined;
  const number = Number(match[1]);
  if (number >= SNAPSHOT_NUMBER_END) return undefined;
  return {
    number,
    boot: match[2]!,
    part: match[3] === undefined ? undefined : Number(match[3]),
  };
}

/** "12-1f9a…", as people are shown a snapshot and name one. */
export function snapshotName({ number, boot }: SnapshotId): string {
  return `${number}-${boot}`;
}

/** The number, and the boot when it was named, from "12", "12-1f9a…" or the snapshot's folder. */
export function parseSnapshotName(
  name: string,
): { readonly number: number; readonly boot: string | undefined } | undefined {
  const match = SNAPSHOT_NAME.exec(name);
  return match === null ? undefined : { number: Number(match[1]), boot: match[2] };
}

/** The boot that wrote an object of the access log; undefined for somebody else's key. */
export function bootOfAccessKey(key: string): string | undefined {
  return ACCESS_KEY.exec(key)?.[1];
}

/** Newest first when used to sort. */
export function compareNewestFirst(a: SnapshotId, b: SnapshotId): number {
  if (a.number !== b.number) return b.number - a.number;
  if (a.boot === b.boot) return 0;
  return a.boot < b.boot ? 1 : -1;
}

function digits(value: number, width: number): string {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 10 ** width)
    throw new RangeError(`no key has number ${value}`);
  return String(value).padStart(width, '0');
}

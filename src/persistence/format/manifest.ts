/**
 * The last object of a snapshot: what the snapshot is made of and what it covers. A snapshot without one that can
 * be read, or with a part that is not listed at the size given here, is not whole (rule D-N3).
 */
import { BLOCK_RAW_BYTES, BlockTag, ObjectKind } from './object-format.ts';
import { manifestKey } from './object-keys.ts';
import { ObjectReader } from './object-reader.ts';
import { ObjectWriter } from './object-writer.ts';
import type { StoreKeys } from './store-keys.ts';

export interface Manifest {
  readonly number: number;
  readonly boot: string;
  /** When the walk began, by the store's clock, seconds since the epoch. */
  readonly takenAtSeconds: number;
  /** Sizes in bytes of part 0, 1, …. */
  readonly partBytes: readonly number[];
  /** How many of the parts, the last ones, hold history and nothing else; older manifests have none. */
  readonly historyParts?: number;
  readonly swarms: number;
  readonly peers: number;
  /** Completed downloads, ever, also of swarms that are gone; older manifests don't tell. */
  readonly completed?: number;
  /** The last journal segment of this boot that was closed before the walk; 0 without a journal. */
  readonly cutSequence: number;
  /** Of other boots the last journal segment that is part of what was walked. */
  readonly vector: Readonly<Record<string, number>>;
}

/** A manifest, or why there is none: 'newer' was written by a later version, 'locked' is sealed with another key. */
export type ManifestState = Manifest | 'newer' | 'locked' | 'damaged';

export function encodeManifest(manifest: Manifest, keys: StoreKeys): Uint8Array {
  const text = Buffer.from(JSON.stringify(manifest));
  const writer = new ObjectWriter(ObjectKind.manifest, manifestKey(manifest), keys);
  for (let at = 0; at < text.length; at += BLOCK_RAW_BYTES) {
    writer.append(BlockTag.manifest, text.subarray(at, at + BLOCK_RAW_BYTES));
  }
  return writer.finish(manifest.swarms, manifest.peers);
}

/** `objectKey` is where it was read. */
export function decodeManifest(objectKey: string, bytes: Uint8Array, keys: StoreKeys): ManifestState {
  const reader = new ObjectReader(bytes, {
    kind: ObjectKind.manifest,
    tag: BlockTag.manifest,
    objectKey,
    keys,
  });
  const pieces: Buffer[] = [];
  for (let block = reader.next(); block !== undefined; block = reader.next()) pieces.push(block.raw);
  if (reader.state !== 'whole') return reader.state;
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString());
    return isManifest(value) ? value : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** How many of its parts, the first ones, hold swarms and peers. */
export function swarmParts({
  partBytes,
  historyParts = 0,
}: Pick<Manifest, 'partBytes' | 'historyParts'>): number {
  return partBytes.length - historyParts;
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { number, boot, takenAtSeconds, partBytes, swarms, peers, completed, cutSequence, vector } =
    value as Record<keyof Manifest, unknown>;
  const { historyParts = 0 } = value as Record<keyof Manifest, unknown>;
  return (
    [number, takenAtSeconds, swarms, peers, completed ?? 0, cutSequence, historyParts].every(isCount) &&
    typeof boot === 'string' &&
    Array.isArray(partBytes) &&
    partBytes.every(isCount) &&
    (historyParts as number) <= partBytes.length &&
    typeof vector === 'object' &&
    vector !== null &&
    Object.values(vector).every(isCount)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

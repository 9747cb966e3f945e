/**
 * Points of the history, in blocks that stand beside others in the segments of the journal, or by themselves in the
 * last part of a snapshot (docs/storage-format.md). Their tag lets a version that knows nothing of them pass them over.
 *
 *   block content | end of the last point 4 | restarts 4 | step 2 | points 2 | series 1 | zeros 3 | values … |
 *   values        | series 0: a float of 4 bytes for each point, oldest first | series 1 | … |
 *
 * Times are by the store's clock (rule D-O6). A block needs no other to be read. There may be more series than are known
 * here: a later version added them at the end.
 */
import type { HistoryPoints } from '../../stats/history.ts';
import { SERIES_COUNT } from '../../stats/history-series.ts';
import { BLOCK_RAW_BYTES, BlockTag, type ObjectKind } from './object-format.ts';
import { ObjectReader } from './object-reader.ts';
import type { StoreKeys } from './store-keys.ts';

const END_AT = 0;
const RESTARTS_AT = 4;
const STEP_AT = 8;
const POINTS_AT = 10;
const SERIES_AT = 12;
const HEAD_BYTES = 16;
const VALUE_BYTES = 4;
const POINTS_PER_BLOCK = Math.floor((BLOCK_RAW_BYTES - HEAD_BYTES) / (SERIES_COUNT * VALUE_BYTES));

/** What one block tells. */
export interface HistoryBlock {
  /** Times by the store's clock; none when only `restarts` was told. */
  readonly points: HistoryPoints;
  /** How often a tracker had started on this store after the first time, when it was written. */
  readonly restarts: number;
}

/** Without points: one block, that tells `restarts`. `offsetSeconds` makes their times the store's. */
export function* historyBlocks(
  points: HistoryPoints | undefined,
  restarts: number,
  offsetSeconds: number,
): Generator<Buffer> {
  if (points === undefined) {
    yield encode({ stepSeconds: 0, endSeconds: 0, count: 0, values: new Float32Array(0) }, 0, 0, restarts, 0);
    return;
  }
  for (let from = 0; from < points.count; from += POINTS_PER_BLOCK) {
    const end = Math.min(points.count, from + POINTS_PER_BLOCK);
    yield encode(points, from, end, restarts, offsetSeconds);
  }
}

/** Points `from` to `end`. */
function encode(
  points: HistoryPoints,
  from: number,
  end: number,
  restarts: number,
  offsetSeconds: number,
): Buffer {
  const count = end - from;
  const series = count === 0 ? 0 : SERIES_COUNT;
  const block = Buffer.alloc(HEAD_BYTES + series * count * VALUE_BYTES);
  const endSeconds = points.endSeconds - (points.count - end) * points.stepSeconds + offsetSeconds;
  block.writeUInt32LE(Math.max(0, endSeconds), END_AT);
  block.writeUInt32LE(restarts, RESTARTS_AT);
  block.writeUInt16LE(points.stepSeconds, STEP_AT);
  block.writeUInt16LE(count, POINTS_AT);
  block[SERIES_AT] = series;
  let at = HEAD_BYTES;
  for (let one = 0; one < series; one += 1) {
    for (let index = from; index < end; index += 1) {
      at = block.writeFloatLE(points.values[one * points.count + index]!, at);
    }
  }
  return block;
}

/** undefined when the bytes are nonsense. */
export function decodeHistoryBlock(raw: Buffer): HistoryBlock | undefined {
  if (raw.length < HEAD_BYTES) return undefined;
  const count = raw.readUInt16LE(POINTS_AT);
  const series = raw[SERIES_AT]!;
  if (raw.length !== HEAD_BYTES + series * count * VALUE_BYTES) return undefined;
  const known = Math.min(series, SERIES_COUNT);
  const values = new Float32Array(SERIES_COUNT * count).fill(Number.NaN);
  for (let index = 0; index < known * count; index += 1) {
    values[index] = raw.readFloatLE(HEAD_BYTES + index * VALUE_BYTES);
  }
  const points = {
    stepSeconds: raw.readUInt16LE(STEP_AT),
    endSeconds: raw.readUInt32LE(END_AT),
    count,
    values,
  };
  return { points, restarts: raw.readUInt32LE(RESTARTS_AT) };
}

/** Reads what an object holds of the history, whatever else is in it. Never throws for what the bytes are. */
export class HistoryBlockReader {
  readonly #reader: ObjectReader;

  /** `objectKey` is where the bytes were read. */
  constructor(kind: ObjectKind, objectKey: string, bytes: Uint8Array, keys: StoreKeys) {
    this.#reader = new ObjectReader(bytes, { kind, tag: BlockTag.history, objectKey, keys });
  }

  /** What is wrong with an object that holds nothing but history, once `next` has returned undefined. */
  get damage(): string | undefined {
    const { state, damage } = this.#reader;
    return state === 'whole' ? undefined : (damage ?? `it is ${state}`);
  }

  /** What the next valid block tells; undefined at the end. */
  next(): HistoryBlock | undefined {
    for (let block = this.#reader.next(); block !== undefined; block = this.#reader.next()) {
      const told = decodeHistoryBlock(block.raw);
      if (told !== undefined) return told;
      this.#reader.reject(`block ${block.number} holds no points that can be read`);
    }
    return undefined;
  }
}

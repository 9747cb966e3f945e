/**
 * Turns what a walk hands out into the parts of a snapshot: entries into blocks, blocks into objects of at most
 * 8 MiB. A step of the walk fills at most a few blocks. Leaves the walk, the slices and the store to the saver.
 */
import type { Family } from '../../swarm/record.ts';
import type { WalkSink } from '../../swarm/walk.ts';
import { BlockTag, ObjectKind, PART_BYTES_MAX } from '../format/object-format.ts';
import { ObjectWriter } from '../format/object-writer.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { SwarmEntryWriter } from '../format/swarm-entries.ts';

/** A part is full when less than this is left: far more than one step of a walk adds. */
const PART_BYTES_SPARE = 256 * 1024;

export interface SnapshotWriterOptions {
  readonly nowSeconds: () => number;
  /** What to add to this machine's times to make them the store's. */
  readonly offsetSeconds: number;
  readonly partBytesMax?: number | undefined;
  /** Where part 0, 1, … will be put. */
  readonly partKey: (part: number) => string;
  readonly keys: StoreKeys;
}

export class SnapshotWriter implements WalkSink {
  readonly #object: ObjectWriter;
  readonly #partKey: (part: number) => string;
  #part = 0;
  readonly #entries: SwarmEntryWriter;
  readonly #partBytesFull: number;
  #swarms = 0;
  #peers = 0;
  swarmsTotal = 0;
  peersTotal = 0;

  constructor(options: SnapshotWriterOptions) {
    const partBytesMax = options.partBytesMax ?? PART_BYTES_MAX;
    this.#partBytesFull = partBytesMax - Math.min(PART_BYTES_SPARE, partBytesMax / 2);
    this.#partKey = options.partKey;
    this.#object = new ObjectWriter(ObjectKind.snapshotPart, options.partKey(0), options.keys, partBytesMax);
    this.#entries = new SwarmEntryWriter({
      emit: (raw) => this.#object.append(BlockTag.swarms, raw),
      nowSeconds: options.nowSeconds,
      offsetSeconds: options.offsetSeconds,
    });
  }

  get isPartFull(): boolean {
    return this.#object.bytes >= this.#partBytesFull;
  }

  swarm(infoHash: Uint8Array, completed: number, lastActivitySeconds: number): void {
    this.#entries.swarm(infoHash, completed, lastActivitySeconds);
    this.#swarms += 1;
  }

  run(
    infoHash: Uint8Array,
    family: Family,
    seeders: number,
    leechers: number,
    records: Uint8Array,
    at: number,
  ): void {
    this.#entries.run(infoHash, family, seeders, leechers, records, at);
    this.#peers += seeders + leechers;
  }

  /** Ends the part and returns its bytes, valid until the next is begun; undefined when there is nothing in it. */
  finishPart(): Uint8Array | undefined {
    this.#entries.flush();
    if (this.#object.blocks === 0) return undefined;
    return this.#object.finish(this.#swarms, this.#peers);
  }

  /** Begins the next part; one in which nothing was leaves its number to the next. */
  nextPart(): void {
    if (this.#object.blocks > 0) this.#part += 1;
    this.swarmsTotal += this.#swarms;
    this.peersTotal += this.#peers;
    this.#swarms = 0;
    this.#peers = 0;
    this.#object.reset(this.#partKey(this.#part));
  }
}

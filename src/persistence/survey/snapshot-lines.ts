/**
 * A snapshot as JSON lines, for other programs: one for each swarm and one for each peer, told apart by `kind`
 * (docs/operations.md has the fields). It streams, so that no snapshot is too large for it, and gives out what is in
 * the valid blocks: a peer that was heard while the snapshot was being taken may have two lines, of which the later
 * last-seen time holds.
 */
import { formatAddress } from '../../protocol/address.ts';
import { formatInfoHash } from '../../protocol/info-hash.ts';
import {
  COMPLETED_ONCE,
  ENDPOINT_BYTES,
  IS_PARTIAL_SEED,
  PORT_BYTES,
  RECORD_BYTES,
  SEEN_BYTES,
} from '../../swarm/record.ts';
import { EntryBlocks } from '../format/entry-blocks.ts';
import type { ObjectState } from '../format/object-reader.ts';
import type { StoreKeys } from '../format/store-keys.ts';
import { SNAPSHOT_PART, type SwarmEntryReader } from '../format/swarm-entries.ts';

export interface SwarmLine {
  readonly kind: 'swarm';
  readonly infoHash: string;
  /** Completed downloads. */
  readonly completed: number;
  readonly lastActivity: string;
}

export interface PeerLine {
  readonly kind: 'peer';
  readonly infoHash: string;
  readonly address: string;
  readonly port: number;
  readonly peerId: string;
  readonly isSeeder: boolean;
  readonly isPartialSeed: boolean;
  /** Its completion is part of the swarm's count. */
  readonly isCompletionCounted: boolean;
  readonly lastSeen: string;
}

export interface SnapshotLinesOptions {
  readonly keys: StoreKeys;
  /** False leaves the peers out, and so everybody's address. */
  readonly hasPeers: boolean;
}

export class SnapshotLines {
  readonly #blocks: EntryBlocks<SwarmEntryReader>;
  readonly #hasPeers: boolean;
  swarms = 0;
  peers = 0;

  /** `objectKey` is where the part was read. */
  constructor(objectKey: string, bytes: Uint8Array, options: SnapshotLinesOptions) {
    this.#blocks = new EntryBlocks(SNAPSHOT_PART, objectKey, bytes, options.keys);
    this.#hasPeers = options.hasPeers;
  }

  /** Meaningful once `next` has returned undefined. */
  get state(): ObjectState {
    return this.#blocks.state;
  }

  get damage(): string | undefined {
    return this.#blocks.damage;
  }

  /** The lines of the next valid block, each with its line end; undefined at the end of the part. */
  next(): string | undefined {
    const entries = this.#blocks.next();
    if (entries === undefined) return undefined;
    const lines: string[] = [];
    while (entries.next()) {
      if (!entries.isRun) lines.push(this.#swarm(entries));
      else if (this.#hasPeers) this.#run(entries, lines);
    }
    return lines.join('');
  }

  #swarm({ infoHash, completed, lastActivitySeconds }: SwarmEntryReader): string {
    this.swarms += 1;
    const line: SwarmLine = {
      kind: 'swarm',
      infoHash: formatInfoHash(infoHash),
      completed,
      lastActivity: isoTime(lastActivitySeconds),
    };
    return `${JSON.stringify(line)}\n`;
  }

  #run(entries: SwarmEntryReader, lines: string[]): void {
    const { raw, family, seeders, leechers } = entries;
    const infoHash = formatInfoHash(entries.infoHash);
    const recordBytes = RECORD_BYTES[family]!;
    const seenAt = ENDPOINT_BYTES[family]!;
    const portAt = seenAt - PORT_BYTES;
    for (let index = 0, at = entries.recordsAt; index < seeders + leechers; index++, at += recordBytes) {
      const flags = raw.readUInt16LE(at + seenAt);
      const line: PeerLine = {
        kind: 'peer',
        infoHash,
        address: formatAddress(raw.subarray(at, at + portAt)),
        port: raw.readUInt16BE(at + portAt),
        peerId: raw.toString('hex', at + seenAt + SEEN_BYTES, at + recordBytes),
        isSeeder: index < seeders,
        isPartialSeed: (flags & IS_PARTIAL_SEED) !== 0,
        isCompletionCounted: (flags & COMPLETED_ONCE) !== 0,
        lastSeen: isoTime(entries.lastSeenSeconds(at)),
      };
      lines.push(`${JSON.stringify(line)}\n`);
    }
    this.peers += seeders + leechers;
  }
}

function isoTime(seconds: number): string {
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`;
}

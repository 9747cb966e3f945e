/** The answer to a scrape (BEP 48; `downloaders`: BEP 21), through the bencode package. */
import bencode from 'bencode';
import { formatInfoHash } from './info-hash.ts';

export interface ScrapeReply {
  readonly files: readonly ScrapedTorrent[];
  /** Read by Transmission and BiglyBT from `flags`. */
  readonly minRequestIntervalSeconds: number;
}

export interface ScrapedTorrent {
  readonly infoHash: Uint8Array;
  /** Seeders. */
  readonly complete: number;
  /** Downloads completed in the swarm's life. */
  readonly downloaded: number;
  /** Non-seeders that still want data: partial seeds are not among them. */
  readonly downloaders: number;
  /** All non-seeders. */
  readonly incomplete: number;
}

/** Every torrent of `reply.files` has its entry, keyed by the raw hash, in raw byte order. */
export function encodeScrapeReply(reply: ScrapeReply): Uint8Array {
  const files = new Map<FileKey, object>();
  for (const { infoHash, complete, downloaded, downloaders, incomplete } of reply.files) {
    files.set(new FileKey(infoHash), { complete, downloaded, downloaders, incomplete });
  }
  return bencode.encode({ files, flags: { min_request_interval: reply.minRequestIntervalSeconds } });
}

/**
 * bencode writes a Map key that is a view as its bytes, but orders keys by their text, and a plain Uint8Array
 * turns into "4,11,…". Hex digits order as the bytes do.
 */
class FileKey extends Uint8Array {
  readonly #hex: string;

  constructor(infoHash: Uint8Array) {
    super(infoHash);
    this.#hex = formatInfoHash(infoHash);
  }

  override toString(): string {
    return this.#hex;
  }
}

/**
 * The answer to a scrape (BEP 48; `downloaders`: BEP 21), written by hand; its bytes are those the bencode package would
 * make.
 *
 *   d5:filesd[20:‥d8:completei‥e10:downloadedi‥e11:downloadersi‥e10:incompletei‥ee]…e5:flagsd20:min_request_intervali‥eee
 */
import { ascii } from './ascii.ts';
import { writeBytes, writeInteger } from './bencode-writer.ts';

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

const FILES = ascii('d5:filesd');
const HASH = ascii('20:');
const COMPLETE = ascii('d8:completei');
const DOWNLOADED = ascii('e10:downloadedi');
const DOWNLOADERS = ascii('e11:downloadersi');
const INCOMPLETE = ascii('e10:incompletei');
const END_OF_FILE = ascii('ee');
const FLAGS = ascii('e5:flagsd20:min_request_intervali');
const END = ascii('eee');
/** A torrent with its four numbers at their longest, 16 digits, is 147 bytes; what stands around all has 61. */
const FILE_BYTES_MAX = 160;
const FRAME_BYTES_MAX = 80;

/** Every torrent of `reply.files` has its entry, keyed by the raw hash, in raw byte order; none may be there twice. */
export function encodeScrapeReply(reply: ScrapeReply): Uint8Array {
  const files = [...reply.files].sort((one, other) => Buffer.compare(one.infoHash, other.infoHash));
  const out = Buffer.allocUnsafe(FRAME_BYTES_MAX + files.length * FILE_BYTES_MAX);
  let at = writeBytes(FILES, out, 0);
  for (const { infoHash, complete, downloaded, downloaders, incomplete } of files) {
    at = writeBytes(HASH, out, at);
    at = writeBytes(infoHash, out, at);
    at = writeBytes(COMPLETE, out, at);
    at = writeInteger(complete, out, at);
    at = writeBytes(DOWNLOADED, out, at);
    at = writeInteger(downloaded, out, at);
    at = writeBytes(DOWNLOADERS, out, at);
    at = writeInteger(downloaders, out, at);
    at = writeBytes(INCOMPLETE, out, at);
    at = writeInteger(incomplete, out, at);
    at = writeBytes(END_OF_FILE, out, at);
  }
  at = writeBytes(FLAGS, out, at);
  at = writeInteger(reply.minRequestIntervalSeconds, out, at);
  at = writeBytes(END, out, at);
  return out.subarray(0, at);
}

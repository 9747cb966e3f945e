/** A scrape as clients send it over HTTP (BEP 48): which torrents they ask about. Pure, like announce-request. */
import { type ClientError, FULL_SCRAPE, INVALID_INFO_HASH } from './client-error.ts';
import { INFO_HASH_BYTES } from './info-hash.ts';
import { decodeExactly, decodesTo, QueryCursor } from './query.ts';

const NAME_INFO_HASH = Uint8Array.from(Buffer.from('info_hash', 'ascii'));

/**
 * Parses the query in bytes[start, end). The first `hashesMax` occurrences of `info_hash` count, later ones are
 * passed over unread.
 *
 * @returns the hashes in byte order, each once; a ClientError if one of them is not 20 bytes, or if there is
 *   none, which would be a scrape of every torrent
 */
export function parseScrapeRequest(
  bytes: Uint8Array,
  start: number,
  end: number,
  hashesMax: number,
): readonly Uint8Array[] | ClientError {
  const hashes: Uint8Array[] = [];
  const pair = new QueryCursor(bytes, start, end);
  while (hashes.length < hashesMax && pair.next()) {
    if (!decodesTo(bytes, pair.nameStart, pair.nameEnd, NAME_INFO_HASH)) continue;
    const hash = new Uint8Array(INFO_HASH_BYTES);
    if (!decodeExactly(bytes, pair.valueStart, pair.valueEnd, hash)) return INVALID_INFO_HASH;
    hashes.push(hash);
  }
  if (hashes.length === 0) return FULL_SCRAPE;
  hashes.sort(Buffer.compare);
  return hashes.filter((hash, index) => index === 0 || Buffer.compare(hash, hashes[index - 1]) !== 0);
}

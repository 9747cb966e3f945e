/**
 * A single-file torrent made for one test: random content and the .torrent that describes it (BEP 3), with one
 * announce URL and no other way named to find peers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import bencode from 'bencode';

const PIECE_BYTES = 65_536;

export interface Torrent {
  /** Name of the shared file, unique among torrents by its content's hash. */
  readonly name: string;
  readonly content: Buffer;
  /** The .torrent file's own bytes. */
  readonly metainfo: Uint8Array;
  readonly infoHash: Buffer;
}

export function makeTorrent(announceUrl: string, contentBytes: number): Torrent {
  const content = randomBytes(contentBytes);
  const pieces: Buffer[] = [];
  for (let at = 0; at < contentBytes; at += PIECE_BYTES)
    pieces.push(sha1(content.subarray(at, at + PIECE_BYTES)));
  const name = `${sha1(content).toString('hex').slice(0, 8)}.content`;
  const info = { length: contentBytes, name, 'piece length': PIECE_BYTES, pieces: Buffer.concat(pieces) };
  return {
    name,
    content,
    metainfo: bencode.encode({ announce: announceUrl, info }),
    infoHash: sha1(bencode.encode(info)),
  };
}

/** Puts the torrent's content where a client that seeds looks for it. */
export function putContent(torrent: Torrent, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, torrent.name), torrent.content);
}

/** Whether the whole content, byte for byte, is in the folder. */
export function hasContent(torrent: Torrent, folder: string): boolean {
  try {
    return readFileSync(join(folder, torrent.name)).equals(torrent.content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // nothing of it yet
    throw error;
  }
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/**
 * The name of a torrent: 20 bytes (BEP 3; for v2 torrents the first 20 of the SHA-256, BEP 52). Inside the
 * tracker it is always bytes; hex is for people, in configuration, the admin API and the pages.
 */

export const INFO_HASH_BYTES = 20;

/** The hash that 40 hex digits of either case stand for, or undefined for any other text. */
export function parseInfoHash(hex: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{40}$/.test(hex)) return undefined;
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** 40 lower-case hex digits. */
export function formatInfoHash(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}

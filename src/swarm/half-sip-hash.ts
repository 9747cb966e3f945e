/**
 * HalfSipHash-1-3: a keyed hash of 32-bit words to 32 bits, for tables whose keys an attacker may choose.
 *
 * Info hashes, addresses and ports come from strangers; with an unkeyed hash one of them could aim a million
 * keys at one chain. The key is drawn at start and never leaves the process.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), and its 32-bit variant of the
 * reference implementation, with one compression and three finalization rounds, as the Linux kernel uses it
 * for hash tables on 32-bit machines.
 */

/** The 64-bit secret as two 32-bit words. */
export type HashKey = readonly [number, number];

/**
 * Hashes `count` little-endian words of `words` from index `from`: the same as hashing their 4·count bytes.
 * Returns an unsigned 32-bit integer.
 */
export function halfSipHash(key: HashKey, words: Uint32Array, from: number, count: number): number {
  const key0 = key[0] | 0;
  const key1 = key[1] | 0;
  let v0 = key0;
  let v1 = key1;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  // The words, then the length in bytes in the top byte, then three rounds of nothing.
  for (let round = 0; round < count + 4; round++) {
    let word = 0;
    if (round < count) word = words[from + round] | 0;
    else if (round === count) word = (count * 4) << 24;
    else if (round === count + 1) v2 ^= 0xff;

    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> 0;
}

/** Seeded randomness for the fuzzer: the same seed gives the same run. */

export interface RandomSource {
  /** A whole number, 0 to `end` − 1, each equally likely. */
  below(end: number): number;
  pick<T>(from: readonly T[]): T;
  /** Whether something that happens `times` in `of` happens now. */
  happens(times: number, of: number): boolean;
}

/** Mulberry32, by Tommy Ettinger: 32 bits of state, ample for choosing mutations. */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    pick: (from) => from[below(from.length)]!,
    happens: (times, of) => below(of) < times,
  };
}

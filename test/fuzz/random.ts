/** The fuzzer's choices: the same seed gives the same run. */
import { seededRandom } from '../builders/random.ts';

export interface RandomSource {
  /** A whole number, 0 to `end` − 1, each equally likely. */
  below(end: number): number;
  pick<T>(from: readonly T[]): T;
  /** Whether something that happens `times` in `of` happens now. */
  happens(times: number, of: number): boolean;
}

export function randomSource(seed: number): RandomSource {
  const next = seededRandom(seed);
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    pick: (from) => from[below(from.length)]!,
    happens: (times, of) => below(of) < times,
  };
}

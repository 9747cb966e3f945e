/**
 * How long something took, counted by length: a number for each range of seconds, the sum and the total. Recording is
 * plain additions into memory that was there from the start, so the announce path can afford it; what is read of it
 * (quantiles, Prometheus' cumulative buckets) is worked out by who reads.
 *
 *   boundsSeconds      0.01    0.02    0.05
 *   counts         |  0  |  1  |  2  |  3  |     one more than bounds: the last counts what is longer than all
 *
 * A length that equals a bound is counted below it (Prometheus' `le`). Leaves windows of time to histogram-window.ts.
 */

/** From 10 µs, less than an announce takes, to 5 s; three to a decade. */
export const ANNOUNCE_BOUNDS_SECONDS: readonly number[] = oneTwoFive(-5, 0);
/** How late the event loop is: from 0.1 ms, a slice of long work or less, to 5 s. */
export const LOOP_BOUNDS_SECONDS: readonly number[] = oneTwoFive(-4, 0);
/** Calls to a store and saves: from 1 ms, a file on a quick disk, to 50 s, past all time limits. */
export const STORE_BOUNDS_SECONDS: readonly number[] = oneTwoFive(-3, 1);

/** What waits for the store: in whole seconds, from one to more than an hour. */
export const WAIT_BOUNDS_SECONDS: readonly number[] = oneTwoFive(0, 3);

const SUM = 0;
const TOTAL = 1;

export class Histogram {
  /** Ascending. */
  readonly boundsSeconds: readonly number[];
  /** Not cumulative; one more than bounds. */
  readonly counts: Float64Array;
  /** A field of the object would be a new heap number with each addition. */
  readonly #sums = new Float64Array(2);

  /** Throws a RangeError unless `boundsSeconds` ascends. */
  constructor(boundsSeconds: readonly number[]) {
    if (
      boundsSeconds.length === 0 ||
      boundsSeconds.some((bound, index) => !(bound > (boundsSeconds[index - 1] ?? 0)))
    )
      throw new RangeError(`not ascending from above 0: ${boundsSeconds.join(', ')}`);
    this.boundsSeconds = boundsSeconds;
    this.counts = new Float64Array(boundsSeconds.length + 1);
  }

  get sumSeconds(): number {
    return this.#sums[SUM]!;
  }

  /** How often something was recorded. */
  get total(): number {
    return this.#sums[TOTAL]!;
  }

  /** Notes that `count` of them took `seconds` each. */
  record(seconds: number, count = 1): void {
    const bounds = this.boundsSeconds;
    let index = 0;
    while (index < bounds.length && seconds > bounds[index]!) index += 1;
    this.counts[index]! += count;
    this.#sums[SUM]! += seconds * count;
    this.#sums[TOTAL]! += count;
  }

  /** Adds what was counted elsewhere by the same bounds. */
  add(counts: ArrayLike<number>, sumSeconds: number): void {
    for (let index = 0; index < this.counts.length; index += 1) {
      this.counts[index]! += counts[index]!;
      this.#sums[TOTAL]! += counts[index]!;
    }
    this.#sums[SUM]! += sumSeconds;
  }

  copy(): Histogram {
    const copy = new Histogram(this.boundsSeconds);
    copy.add(this.counts, this.sumSeconds);
    return copy;
  }

  /** In seconds: a share `q` of all (0 to 1) took at most so long. NaN when nothing was recorded. */
  quantile(q: number): number {
    return quantileOf(this.boundsSeconds, this.counts, this.total, q);
  }
}

/**
 * The same of counts that stand for themselves. Within a range the lengths are taken to lie evenly; what is longer than
 * the last bound is known to be no shorter than that, so that bound it is.
 */
export function quantileOf(
  boundsSeconds: readonly number[],
  counts: Float64Array,
  total: number,
  q: number,
): number {
  if (total === 0) return Number.NaN;
  const rank = q * total;
  let below = 0;
  for (let index = 0; index < boundsSeconds.length; index += 1) {
    const count = counts[index]!;
    if (count > 0 && below + count >= rank) {
      const from = boundsSeconds[index - 1] ?? 0;
      return from + (boundsSeconds[index]! - from) * Math.max(0, (rank - below) / count);
    }
    below += count;
  }
  return boundsSeconds[boundsSeconds.length - 1]!;
}

/** 1, 2 and 5 times each power of ten, exact as decimals. */
function oneTwoFive(fromPower: number, toPower: number): number[] {
  const bounds: number[] = [];
  for (let power = fromPower; power <= toPower; power += 1) {
    for (const digit of [1, 2, 5]) bounds.push(Number(`${digit}e${power}`));
  }
  return bounds;
}

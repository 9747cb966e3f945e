/**
 * Points at equal steps of time, the newest in the place of the oldest. A step in which nothing was written is a hole,
 * and stays one.
 *
 *   slot     …  s-1        s (newest)      slot = end of the point in seconds / step
 *   values   | point | point | point | …   place of slot s: s modulo the number of places
 *   point    | value of series 0 | 1 | …   NaN where there is none
 *
 * Slots are counted from the epoch, so two rings of one step agree on them.
 */
import { ALWAYS_KNOWN, SERIES_COUNT, type SeriesValues } from './history-series.ts';

export class HistoryRing {
  readonly stepSeconds: number;
  readonly places: number;
  readonly #values: Float32Array;
  #newest = -1;

  constructor(stepSeconds: number, places: number) {
    this.stepSeconds = stepSeconds;
    this.places = places;
    this.#values = new Float32Array(places * SERIES_COUNT).fill(Number.NaN);
  }

  /** The last slot that was written, -1 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** The first slot for which there is a place. */
  get oldest(): number {
    return Math.max(0, this.#newest - this.places + 1);
  }

  has(slot: number): boolean {
    return this.#isWithin(slot) && !Number.isNaN(this.#values[this.#at(slot) + ALWAYS_KNOWN]);
  }

  /** NaN where there is none. */
  value(slot: number, series: number): number {
    return this.#isWithin(slot) ? this.#values[this.#at(slot) + series]! : Number.NaN;
  }

  /** Takes the place of what was there; a slot that is too old is left out. */
  write(slot: number, values: SeriesValues): void {
    this.#turnTo(slot);
    if (slot >= this.oldest) this.#values.set(values, this.#at(slot));
  }

  #isWithin(slot: number): boolean {
    return slot <= this.#newest && slot >= this.oldest;
  }

  #at(slot: number): number {
    return (slot % this.places) * SERIES_COUNT;
  }

  /** What time has passed over becomes holes. */
  #turnTo(slot: number): void {
    if (slot <= this.#newest) return;
    if (slot - this.#newest >= this.places) {
      this.#values.fill(Number.NaN);
    } else {
      for (let passed = this.#newest + 1; passed <= slot; passed += 1) {
        this.#values.fill(Number.NaN, this.#at(passed), this.#at(passed) + SERIES_COUNT);
      }
    }
    this.#newest = slot;
  }
}

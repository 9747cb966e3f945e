/**
 * The quantiles of a histogram by the minute: of what it counted between two looks, so that recording knows nothing of
 * windows. Whoever owns the clock calls `tick` once a second. Windows end by the clock and not because somebody
 * looked, as those of the event loop's delay do, so that many may read without taking anything from each other.
 */
import { type Histogram, quantileOf } from './histogram.ts';

export const LATENCY_WINDOW_SECONDS = 60;

/** In milliseconds: half, 90 %, 99 %, 99.9 % of `samples` took at most so long. */
export interface LatencyQuantiles {
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

export class HistogramWindow {
  readonly #histogram: Histogram;
  readonly #windowSeconds: number;
  /** What the histogram had counted when the window began. */
  readonly #before: Float64Array;
  /** What it has counted since: memory for `#quantiles`. */
  readonly #since: Float64Array;
  #windowStartSeconds: number;
  #lastWindow: LatencyQuantiles | undefined;
  #windowsEnded = 0;

  /** `monotonicSeconds`: now, of a clock that only runs forward; fractions count. */
  constructor(histogram: Histogram, monotonicSeconds: number, windowSeconds = LATENCY_WINDOW_SECONDS) {
    this.#histogram = histogram;
    this.#windowSeconds = windowSeconds;
    this.#windowStartSeconds = monotonicSeconds;
    this.#before = histogram.counts.slice();
    this.#since = new Float64Array(this.#before.length);
  }

  /** Of the last window that has ended; undefined in the first, and when nothing was recorded in it. */
  get lastWindow(): LatencyQuantiles | undefined {
    return this.#lastWindow;
  }

  /** Of the window under way; undefined when nothing was recorded in it yet. */
  get thisWindow(): LatencyQuantiles | undefined {
    return this.#quantiles();
  }

  get windowsEnded(): number {
    return this.#windowsEnded;
  }

  /** Ends the window when its time is over. `monotonicSeconds`: of the constructor's clock. */
  tick(monotonicSeconds: number): void {
    if (monotonicSeconds - this.#windowStartSeconds < this.#windowSeconds) return;
    this.#lastWindow = this.#quantiles();
    this.#windowsEnded += 1;
    this.#windowStartSeconds = monotonicSeconds;
    this.#before.set(this.#histogram.counts);
  }

  #quantiles(): LatencyQuantiles | undefined {
    const { counts, boundsSeconds } = this.#histogram;
    let samples = 0;
    for (let index = 0; index < counts.length; index += 1) {
      const count = counts[index]! - this.#before[index]!;
      this.#since[index] = count;
      samples += count;
    }
    if (samples === 0) return undefined;
    const ms = (q: number): number =>
      Math.round(quantileOf(boundsSeconds, this.#since, samples, q) * 1e6) / 1e3;
    return { samples, p50: ms(0.5), p90: ms(0.9), p99: ms(0.99), p999: ms(0.999) };
  }
}

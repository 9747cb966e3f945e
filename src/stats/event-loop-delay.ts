/**
 * How late the event loop is, by the minute: what anything that is due waits behind announces, garbage collection
 * and slices of long work. Fed by a histogram that samples the loop with a timer (perf_hooks' monitorEventLoopDelay,
 * which main.ts makes); the time between two of its ticks less the time that was meant to lie between them is the
 * delay. Whoever owns the clock calls `tick` once a second.
 *
 * Windows end by the clock and not because somebody looked, so that many may read without taking anything from each
 * other: who watches for longer notes each window when `windowsEnded` grows. A stall that is over within one sampling
 * period is met by the timer with the probability of its length over the period, as a request would meet it.
 *
 * For who counts since the start (Prometheus) the ended windows are added up by length, and the one under way to them.
 */
import { Histogram, LOOP_BOUNDS_SECONDS } from './histogram.ts';

/** What is needed of perf_hooks' IntervalHistogram; values in nanoseconds. */
export interface DelayHistogram {
  readonly count: number;
  readonly max: number;
  readonly mean: number;
  /** Ascending, from 0 to 100. */
  readonly percentiles: ReadonlyMap<number, number>;
  percentile(percentile: number): number;
  reset(): void;
}

/** Delays of one window in milliseconds: half, 99 %, 99.9 % of the samples were at most so late; the longest. */
export interface LoopDelays {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface EventLoopDelayOptions {
  readonly histogram: DelayHistogram;
  /** The histogram's sampling period. */
  readonly resolutionMs: number;
  readonly startedSeconds: number;
}

export const LOOP_WINDOW_SECONDS = 60;

const NANOSECONDS_PER_MS = 1e6;
const NO_DELAYS: LoopDelays = { samples: 0, p50: 0, p99: 0, p999: 0, max: 0 };

export class EventLoopDelay {
  readonly resolutionMs: number;
  readonly #histogram: DelayHistogram;
  #windowStartSeconds: number;
  #lastWindow: LoopDelays | undefined;
  #windowsEnded = 0;
  /** Of the windows that have ended. */
  readonly #ended = new Histogram(LOOP_BOUNDS_SECONDS);

  constructor({ histogram, resolutionMs, startedSeconds }: EventLoopDelayOptions) {
    this.#histogram = histogram;
    this.resolutionMs = resolutionMs;
    this.#windowStartSeconds = startedSeconds;
  }

  /** Of the last window that has ended; undefined in the first. */
  get lastWindow(): LoopDelays | undefined {
    return this.#lastWindow;
  }

  /** Of the window that is under way, so far. */
  get thisWindow(): LoopDelays {
    const { count } = this.#histogram;
    if (count === 0) return NO_DELAYS;
    return {
      samples: count,
      p50: this.#delayMs(this.#histogram.percentile(50)),
      p99: this.#delayMs(this.#histogram.percentile(99)),
      p999: this.#delayMs(this.#histogram.percentile(99.9)),
      max: this.#delayMs(this.#histogram.max),
    };
  }

  get windowsEnded(): number {
    return this.#windowsEnded;
  }

  /** All samples since the start, made anew with each call, in less than a millisecond. */
  sinceStart(): Histogram {
    const all = this.#ended.copy();
    this.#addWindowTo(all);
    return all;
  }

  /** Ends the window when its minute is over. `monotonicSeconds`: of a clock that only runs forward. */
  tick(monotonicSeconds: number): void {
    if (monotonicSeconds - this.#windowStartSeconds < LOOP_WINDOW_SECONDS) return;
    this.#lastWindow = this.thisWindow;
    this.#addWindowTo(this.#ended);
    this.#windowsEnded += 1;
    this.#windowStartSeconds = monotonicSeconds;
    this.#histogram.reset();
  }

  #addWindowTo(sum: Histogram): void {
    const { count, mean, percentiles } = this.#histogram;
    if (count === 0) return;
    let below = 0;
    const counts = LOOP_BOUNDS_SECONDS.map((boundSeconds) => {
      const atMost = this.#samplesAtMost(
        (boundSeconds * 1_000 + this.resolutionMs) * NANOSECONDS_PER_MS,
        percentiles,
      );
      const between = Math.max(0, atMost - below);
      below += between;
      return between;
    });
    const meanSeconds = Math.max(0, mean / NANOSECONDS_PER_MS - this.resolutionMs) / 1_000;
    sum.add([...counts, Math.max(0, count - below)], meanSeconds * count);
  }

  /**
   * What the histogram does not say itself: the largest share whose percentile is no longer. `percentiles` has a few,
   * and asking for one more takes some 15 µs, so the search goes on between two of those until it knows the sample.
   */
  #samplesAtMost(nanoseconds: number, percentiles: ReadonlyMap<number, number>): number {
    const { count } = this.#histogram;
    let within = -1;
    let beyond = 100;
    for (const [percentile, length] of percentiles) {
      if (length <= nanoseconds) {
        within = percentile;
      } else {
        beyond = percentile;
        break;
      }
    }
    if (within < 0) return 0;
    if (within === 100) return count;
    while (((beyond - within) / 100) * count > 0.5) {
      const middle = (within + beyond) / 2;
      if (this.#histogram.percentile(middle) <= nanoseconds) within = middle;
      else beyond = middle;
    }
    // A percentile's rank is rounded to the nearest sample, so the largest share lies up to half a sample further.
    return Math.round((within / 100) * count);
  }

  /** Whole microseconds as milliseconds: more would be noise. */
  #delayMs(intervalNanoseconds: number): number {
    return Math.max(0, Math.round(intervalNanoseconds / 1_000 - this.resolutionMs * 1_000)) / 1_000;
  }
}

/**
 * How late the event loop is, by the minute: what anything that is due waits behind announces, garbage collection
 * and slices of long work. Fed by a histogram that samples the loop with a timer (perf_hooks' monitorEventLoopDelay,
 * which main.ts makes); the time between two of its ticks less the time that was meant to lie between them is the
 * delay. Whoever owns the clock calls `tick` once a second.
 *
 * Windows end by the clock and not because somebody looked, so that many may read without taking anything from each
 * other: who watches for longer notes each window when `windowsEnded` grows. A stall that is over within one sampling
 * period is met by the timer with the probability of its length over the period, as a request would meet it.
 */

/** What is needed of perf_hooks' IntervalHistogram; values in nanoseconds. */
export interface DelayHistogram {
  readonly count: number;
  readonly max: number;
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

const NO_DELAYS: LoopDelays = { samples: 0, p50: 0, p99: 0, p999: 0, max: 0 };

export class EventLoopDelay {
  readonly resolutionMs: number;
  readonly #histogram: DelayHistogram;
  #windowStartSeconds: number;
  #lastWindow: LoopDelays | undefined;
  #windowsEnded = 0;

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

  /** Ends the window when its minute is over. `monotonicSeconds`: of a clock that only runs forward. */
  tick(monotonicSeconds: number): void {
    if (monotonicSeconds - this.#windowStartSeconds < LOOP_WINDOW_SECONDS) return;
    this.#lastWindow = this.thisWindow;
    this.#windowsEnded += 1;
    this.#windowStartSeconds = monotonicSeconds;
    this.#histogram.reset();
  }

  /** Whole microseconds as milliseconds: more would be noise. */
  #delayMs(intervalNanoseconds: number): number {
    return Math.max(0, Math.round(intervalNanoseconds / 1_000 - this.resolutionMs * 1_000)) / 1_000;
  }
}

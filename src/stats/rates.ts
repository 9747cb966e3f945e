/**
 * Requests per second over the last second: the counters' growth between two ticks. Whoever owns the clock calls
 * `tick` once a second; a late tick is divided by the time that really passed.
 */
import type { Counters } from './counters.ts';

const COUNTED = ['hits', 'connects', 'announces', 'scrapes'] as const;
type Counted = (typeof COUNTED)[number];

export class Rates {
  readonly #counters: Counters;
  #tickedSeconds: number;
  #totals: Readonly<Record<Counted, number>>;
  #perSecond: Readonly<Record<Counted, number>> = { hits: 0, connects: 0, announces: 0, scrapes: 0 };

  /** `monotonicSeconds`: of a clock that only runs forward; fractions count. */
  constructor(counters: Counters, monotonicSeconds: number) {
    this.#counters = counters;
    this.#tickedSeconds = monotonicSeconds;
    this.#totals = this.#read();
  }

  /** Whole requests per second between the last two ticks. */
  get perSecond(): Readonly<Record<Counted, number>> {
    return this.#perSecond;
  }

  tick(monotonicSeconds: number): void {
    const passedSeconds = monotonicSeconds - this.#tickedSeconds;
    if (passedSeconds <= 0) return;
    const before = this.#totals;
    const totals = this.#read();
    const rate = (name: Counted): number => Math.round((totals[name] - before[name]) / passedSeconds);
    this.#perSecond = {
      hits: rate('hits'),
      connects: rate('connects'),
      announces: rate('announces'),
      scrapes: rate('scrapes'),
    };
    this.#totals = totals;
    this.#tickedSeconds = monotonicSeconds;
  }

  #read(): Record<Counted, number> {
    const { hits, connects, announces, scrapes } = this.#counters;
    return { hits, connects, announces, scrapes };
  }
}

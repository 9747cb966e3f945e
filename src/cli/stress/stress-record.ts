/**
 * What a load's replies add up to: counts, latency percentiles, and a row for each second. Latencies are kept in
 * Node's own HDR histograms, in microseconds with three significant figures, so an hour costs no more than a second.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Outcome } from './stress-sender.ts';

export interface Second {
  readonly second: number;
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  /** Latency in milliseconds of what ended in this second; 0 when nothing did. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly unanswered: number;
  readonly latencyMs: Readonly<Record<'mean' | 'p50' | 'p90' | 'p95' | 'p99' | 'p999' | 'max', number>>;
  /** The part of the latency before a request was sent: for want of a free connection, or because the sender was late. */
  readonly unsentMs: Readonly<Record<'p50' | 'p99' | 'max', number>>;
  /** The percentile curve: `share` of all requests ended within `ms`. */
  readonly curve: readonly { readonly share: number; readonly ms: number }[];
  readonly timeline: readonly Second[];
}

const MICROSECONDS_MAX = 3_600_000_000;
/** Shares of the curve: 0, 0.1, … then each next figure takes a quarter of what is left. */
const CURVE_STEPS = 40;

const newHistogram = (): RecordableHistogram =>
  createHistogram({ lowest: 1, highest: MICROSECONDS_MAX, figures: 3 });

export class LoadRecord {
  readonly counts: Record<Outcome, number> = { answered: 0, refused: 0, failed: 0, unanswered: 0 };
  readonly #all = newHistogram();
  readonly #unsent = newHistogram();
  readonly #ofSecond = newHistogram();
  readonly #timeline: Second[] = [];
  #second = 0;
  #countsBefore = { ...this.counts };

  add(outcome: Outcome, latencyMs: number, atMs: number, unsentMs: number): void {
    while (atMs >= (this.#second + 1) * 1000) this.#endSecond();
    this.counts[outcome] += 1;
    if (outcome === 'failed') return; // a connection refused at once is no fast answer
    const microseconds = inMicroseconds(latencyMs);
    this.#all.record(microseconds);
    this.#ofSecond.record(microseconds);
    this.#unsent.record(inMicroseconds(unsentMs));
  }

  /** The last whole second; undefined in the first. */
  get lastSecond(): Second | undefined {
    return this.#timeline.at(-1);
  }

  result({ requests, ms }: { readonly requests: number; readonly ms: number }): LoadResult {
    if (this.#hasUntold()) this.#endSecond();
    const all = this.#all;
    const { answered, refused } = this.counts;
    const isEmpty = all.count === 0;
    const at = (percentile: number): number => (isEmpty ? 0 : all.percentile(percentile) / 1000);
    const curve = [];
    for (let step = 0; step <= CURVE_STEPS; step++) {
      const share = 1 - 0.75 ** step;
      if (isEmpty || (1 - share) * all.count < 0.5) break;
      curve.push({ share, ms: step === 0 ? all.min / 1000 : at(share * 100) });
    }
    return {
      requests,
      seconds: ms / 1000,
      perSecond: ms === 0 ? 0 : ((answered + refused) * 1000) / ms,
      ...this.counts,
      latencyMs: {
        mean: isEmpty ? 0 : all.mean / 1000,
        p50: at(50),
        p90: at(90),
        p95: at(95),
        p99: at(99),
        p999: at(99.9),
        max: isEmpty ? 0 : all.max / 1000,
      },
      unsentMs: {
        p50: isEmpty ? 0 : this.#unsent.percentile(50) / 1000,
        p99: isEmpty ? 0 : this.#unsent.percentile(99) / 1000,
        max: isEmpty ? 0 : this.#unsent.max / 1000,
      },
      curve,
      timeline: this.#timeline,
    };
  }

  #hasUntold(): boolean {
    const names = Object.keys(this.counts) as Outcome[];
    return names.some((name) => this.counts[name] !== this.#countsBefore[name]);
  }

  #endSecond(): void {
    const counts = this.counts;
    const before = this.#countsBefore;
    const ofSecond = this.#ofSecond;
    const isEmpty = ofSecond.count === 0;
    this.#timeline.push({
      second: this.#second,
      answered: counts.answered - before.answered,
      refused: counts.refused - before.refused,
      failed: counts.failed + counts.unanswered - before.failed - before.unanswered,
      p50Ms: isEmpty ? 0 : ofSecond.percentile(50) / 1000,
      p99Ms: isEmpty ? 0 : ofSecond.percentile(99) / 1000,
      maxMs: isEmpty ? 0 : ofSecond.max / 1000,
    });
    ofSecond.reset();
    this.#second += 1;
    this.#countsBefore = { ...counts };
  }
}

/** A histogram takes whole numbers from 1 on. */
function inMicroseconds(ms: number): number {
  return Math.min(MICROSECONDS_MAX, Math.max(1, Math.round(ms * 1000)));
}

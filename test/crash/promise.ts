/**
 * How much a SIGKILL may cost (rule D-P1): what was heard since the last stored segment of the journal was closed. By
 * what the store's proxy has seen: the interval, and the time of the put in flight.
 */
import type { SeenRequest } from '../builders/s3-proxy.ts';

/** How late a timer may be that is late on a machine with nothing else to do. */
const LATENESS_SECONDS = 1;
const LOOK_MS = 50;

/** What may be lost: what was heard since the last stored segment was closed. */
export interface Promised {
  /** JOURNAL_SECONDS, or what the last stored put took when that was longer: the next one waits for it. */
  readonly intervalSeconds: number;
  /**
   * How long the put in flight had been under way. Before its first put a tracker makes sure that its key fits the
   * store (rule D-O5): what that took counts as that put's time.
   */
  readonly inFlightSeconds: number;
  /** How late timers may be and were here, and the longest that an announce had to wait: a busy machine's part. */
  readonly lateSeconds: number;
}

export const NOTHING_LOST: Promised = { intervalSeconds: 0, inFlightSeconds: 0, lateSeconds: 0 };

export interface PromiseOptions {
  readonly journalSeconds: number;
  /** Of this tracker, in the order in which they came. */
  readonly requests: readonly SeenRequest[];
  /** When the load began. */
  readonly loadedMs: number;
}

/** What is promised to a tracker that is killed now; milliseconds of `performance.now()`. */
export function promiseAt(nowMs: number, { journalSeconds, requests, loadedMs }: PromiseOptions): Promised {
  const puts = requests.filter(({ verb, key }) => verb === 'put' && key.startsWith('journal/'));
  const stored = puts.findLast(({ doneMs }) => doneMs !== undefined);
  const underWay = puts.find(({ doneMs, isOver }) => doneMs === undefined && !isOver);
  const isFirst = stored === undefined || stored === puts[0];
  const firstMs = puts[0]?.cameMs ?? nowMs;
  const readSeconds = requests
    .filter(
      ({ verb, cameMs }) => (verb === 'list' || verb === 'get') && cameMs >= loadedMs && cameMs < firstMs,
    )
    .reduce((sum, { cameMs, doneMs }) => sum + ((doneMs ?? nowMs) - cameMs) / 1_000, 0);
  return {
    intervalSeconds: Math.max(
      journalSeconds,
      stored === undefined ? 0 : (stored.doneMs! - stored.cameMs) / 1_000,
    ),
    inFlightSeconds:
      (underWay === undefined ? 0 : (nowMs - underWay.cameMs) / 1_000) + (isFirst ? readSeconds : 0),
    lateSeconds: LATENESS_SECONDS,
  };
}

/** How late the machine lets timers be: one that is so busy is no worse a tracker's fault than a put in flight is. */
export class Lateness {
  #latestMs = 0;
  readonly #timer: NodeJS.Timeout;

  constructor() {
    let dueMs = performance.now() + LOOK_MS;
    this.#timer = setInterval(() => {
      this.#latestMs = Math.max(this.#latestMs, performance.now() - dueMs);
      dueMs = performance.now() + LOOK_MS;
    }, LOOK_MS);
  }

  /** The largest delay seen, in seconds. */
  end(): number {
    clearInterval(this.#timer);
    return this.#latestMs / 1_000;
  }
}

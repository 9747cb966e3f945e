/**
 * Makes the history's points: once a minute what there is now, and per second what was counted since the point before.
 * Minutes end by the clock, at whole minutes since the epoch; a process that starts or ends within one makes its point
 * of the part that it saw.
 */
import type { Gauges } from './gauges.ts';
import { type HistoryPoint, MINUTE_SECONDS } from './history.ts';
import { HISTORY_SERIES, type SeriesName } from './history-series.ts';
import { saveAgeSeconds } from './stats-report.ts';

/** Less of a minute than this says nothing of it. */
const PART_SECONDS_MIN = 10;

interface Counted {
  readonly announces: number;
  readonly scrapes: number;
  readonly errors: number;
}

export class MinutePoints {
  #takenSeconds: number;
  #before: Counted = { announces: 0, scrapes: 0, errors: 0 };

  constructor(startedSeconds: number) {
    this.#takenSeconds = startedSeconds;
  }

  /** Whether a minute has ended since the last point. */
  isDue(nowSeconds: number): boolean {
    return wholeMinutes(nowSeconds) > wholeMinutes(this.#takenSeconds);
  }

  /** The point of the minute that has ended last. */
  take(gauges: Gauges): HistoryPoint {
    return this.#take(gauges, wholeMinutes(gauges.nowSeconds));
  }

  /** The point of the minute under way, for a process that ends; undefined when hardly anything of it has passed. */
  takeRest(gauges: Gauges): HistoryPoint | undefined {
    if (gauges.nowSeconds - this.#takenSeconds < PART_SECONDS_MIN) return undefined;
    return this.#take(gauges, wholeMinutes(gauges.nowSeconds) + MINUTE_SECONDS);
  }

  #take(gauges: Gauges, endSeconds: number): HistoryPoint {
    const { counters, nowSeconds } = gauges;
    const counted: Counted = {
      announces: counters.announces,
      scrapes: counters.scrapes,
      errors: counters.errorsClient + counters.errorsServer,
    };
    const before = this.#before;
    const seconds = Math.max(1, nowSeconds - this.#takenSeconds);
    this.#before = counted;
    this.#takenSeconds = nowSeconds;
    const { table, store, loopDelay } = gauges;
    const { announceWindow } = gauges;
    // A process in its first minute has no other.
    const latency = announceWindow.lastWindow ?? announceWindow.thisWindow;
    const values: Readonly<Record<SeriesName, number | undefined>> = {
      peers: table.peers,
      seeders: table.seeders,
      leechers: table.leechers,
      swarms: table.swarms,
      announcesPerSecond: (counted.announces - before.announces) / seconds,
      scrapesPerSecond: (counted.scrapes - before.scrapes) / seconds,
      errorsPerSecond: (counted.errors - before.errors) / seconds,
      latencyP50Ms: latency?.p50,
      latencyP99Ms: latency?.p99,
      loopDelayP99Ms: (loopDelay.lastWindow ?? loopDelay.thisWindow).p99,
      memoryBytes: gauges.memory.rss,
      saveAgeSeconds: store.savedSeconds === undefined ? undefined : saveAgeSeconds(gauges),
      secondsAtRisk: gauges.journal.secondsAtRisk,
    };
    return {
      endSeconds,
      values: Float32Array.from(HISTORY_SERIES, ({ name }) => values[name] ?? Number.NaN),
    };
  }
}

function wholeMinutes(seconds: number): number {
  return Math.floor(seconds / MINUTE_SECONDS) * MINUTE_SECONDS;
}

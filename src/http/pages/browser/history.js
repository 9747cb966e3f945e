/**
 * The figures of the last hour, day or week as columns to draw, oldest first: what the tracker has kept of them
 * (/stats/history.json, and each minute's point since), and up to this moment what came in since as live figures. Times
 * are the tracker's, seconds since the epoch; `null` is a time in which it was down.
 */
/** @import { LiveReport as Report } from '../../../stats/stats-report.ts' */

/** @typedef {'hour' | 'day' | 'week'} Span */
/** @typedef {Readonly<Record<string, readonly (number | null)[]>>} Series */
/** @typedef {{ span: Span, stepSeconds: number, endSeconds: number, series: Series }} HistoryDocument */
/** @typedef {{ endSeconds: number, values: Readonly<Record<string, number | null>> }} Point of a minute */
/** @typedef {{ seconds: number, values: Readonly<Record<string, number | null>> }} Moment */

const SPAN_SECONDS = Object.freeze({ hour: 3_600, day: 86_400, week: 604_800 });

const POINT_SECONDS = 60;
/** Nothing is shown closer than this: the first seconds of a tracker are not to fill the page. */
const RANGE_SECONDS_MIN = 60;
/** Fewer points than this are a tracker that has just started: its plots show each live figure. */
const POINTS_FEW = 10;
/** Ten minutes, at one in two seconds. */
const LIVE_MAX = 300;

export class History {
  /** @type {Span} */
  span = 'hour';
  /** @type {HistoryDocument | undefined} */
  #kept;
  /** @type {Moment[]} */
  #live = [];
  /** How many errors the last report told of, and when. @type {{ total: number, seconds: number } | undefined} */
  #errors;
  /** The tracker's clock less ours. */
  #aheadSeconds = 0;

  /**
   * Asks the tracker for `span`. What is there stays when it does not answer, and the promise rejects.
   *
   * @param {Span} span
   */
  async load(span) {
    const isOther = span !== this.span;
    this.span = span;
    if (isOther) this.#kept = undefined;
    const response = await fetch(`/stats/history.json?span=${span}`);
    if (!response.ok) throw new Error(`/stats/history.json answered ${response.status}`);
    const date = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.#aheadSeconds = (date - Date.now()) / 1_000;
    const kept = await response.json();
    if (this.span === span) this.#kept = kept; // else another span was asked for meanwhile
  }

  /**
   * A minute has ended: what is kept by the minute goes on with its point, so that not each open page asks for all of it
   * at once. What is kept of a week is of ten minutes, which the tracker makes.
   *
   * @param {Point} point
   * @returns {boolean} false when what is kept cannot go on so, and has to be loaded
   */
  append({ endSeconds, values }) {
    const kept = this.#kept;
    if (kept === undefined) return false;
    const steps = (endSeconds - kept.endSeconds) / kept.stepSeconds;
    if (steps < 1) return true;
    if (steps > 1 || kept.stepSeconds !== POINT_SECONDS) return false;
    /** @type {Record<string, readonly (number | null)[]>} */
    const series = {};
    for (const [name, column] of Object.entries(kept.series))
      series[name] = [...column.slice(1), values[name] ?? null];
    this.#kept = { ...kept, endSeconds, series };
    return true;
  }

  /** @param {Report} report as it came in just now */
  add(report) {
    const announceMs = report.latency.announceMs;
    const errors = report.requests.errorsClient + report.requests.errorsServer;
    const before = this.#errors;
    const seconds = this.nowSeconds;
    this.#errors = { total: errors, seconds };
    // A tracker that was restarted counts from nothing again.
    const isGrowth = before !== undefined && errors >= before.total && seconds > before.seconds;
    this.#live.push({
      seconds,
      values: {
        peers: report.peers,
        seeders: report.seeders,
        leechers: report.leechers,
        swarms: report.swarms,
        announcesPerSecond: report.requests.perSecond.announces,
        scrapesPerSecond: report.requests.perSecond.scrapes,
        errorsPerSecond: isGrowth ? (errors - before.total) / (seconds - before.seconds) : null,
        latencyP50Ms: announceMs?.p50 ?? null,
        latencyP99Ms: announceMs?.p99 ?? null,
        loopDelayP99Ms: (report.eventLoop.delayMs ?? report.eventLoop.delayMsSoFar).p99,
        memoryBytes: report.memory.rss,
        saveAgeSeconds: report.store.savedSecondsAgo,
        secondsAtRisk: report.journal.secondsAtRisk,
      },
    });
    if (this.#live.length > LIVE_MAX) this.#live.shift();
  }

  get nowSeconds() {
    return Date.now() / 1_000 + this.#aheadSeconds;
  }

  /**
   * From when to when there is something to draw: the whole span, or since a tracker that is younger began.
   *
   * @returns {[fromSeconds: number, toSeconds: number]}
   */
  get range() {
    const [times, peers = []] = this.columns(['peers']);
    const to = this.nowSeconds;
    const first = times[peers.findIndex((value) => value !== null)] ?? to;
    return [Math.max(to - SPAN_SECONDS[this.span], Math.min(first, to - RANGE_SECONDS_MIN)), to];
  }

  /**
   * Times, and under each of `names` a column as long.
   *
   * @param {readonly string[]} names
   * @returns {[times: number[], ...columns: (number | null)[][]]}
   */
  columns(names) {
    const kept = this.#kept;
    const length = kept?.series.peers?.length ?? 0;
    const known = kept?.series.peers?.filter((value) => value !== null).length ?? 0;
    const live =
      known < POINTS_FEW
        ? this.#live
        : mean(this.#live.filter(({ seconds }) => seconds > (kept?.endSeconds ?? 0)));
    const liveSeconds = live[0]?.seconds ?? Number.POSITIVE_INFINITY;
    /** @type {number[]} */
    const times = [];
    /** @type {(number | null)[][]} */
    const columns = names.map(() => []);
    for (let index = 0; kept !== undefined && index < length; index++) {
      const seconds = kept.endSeconds - (length - 1 - index) * kept.stepSeconds;
      if (seconds >= liveSeconds) break;
      times.push(seconds);
      for (const [column, name] of names.entries()) columns[column]?.push(kept.series[name]?.[index] ?? null);
    }
    for (const { seconds, values } of live) {
      times.push(seconds);
      for (const [column, name] of names.entries()) columns[column]?.push(values[name] ?? null);
    }
    return [times, ...columns];
  }
}

/**
 * One moment for all: the latest time, the mean of each figure. A single second beside means of a minute or an hour would
 * look like an event.
 *
 * @param {readonly Moment[]} moments
 * @returns {Moment[]}
 */
function mean(moments) {
  const last = moments.at(-1);
  if (last === undefined) return [];
  /** @type {Record<string, number | null>} */
  const values = {};
  for (const name of Object.keys(last.values)) {
    const known = moments.map((moment) => moment.values[name]).filter((value) => typeof value === 'number');
    values[name] = known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  }
  return [{ seconds: last.seconds, values }];
}

/**
 * What the tracker was like over the last hour, day and week: a point a minute for a day, and a point for each ten
 * minutes for a week; the hour is the end of the day. Holes, where the tracker was down, stay holes.
 *
 *   memory: (1,440 + 1,008) points × 13 series × 4 bytes = 127,296 bytes, whatever happens
 *
 * This process adds its own points; `restore` gives those back that were saved before its start, by whichever
 * tracker. A minute that this process has seen is its own. Of two saved points of one minute that of the busier
 * tracker counts, so that it does not matter in which order they are read. A point of ten minutes is made of those
 * of its minutes, as long as the day still has them. Time is given; storing is left to persistence/.
 */
import { HistoryRing } from './history-ring.ts';
import {
  ALWAYS_KNOWN,
  ANNOUNCES,
  HISTORY_SERIES,
  namedValues,
  SERIES_COUNT,
  type SeriesName,
  type SeriesValues,
  shownValue,
} from './history-series.ts';
import { STATS_VERSION } from './stats-version.ts';

export const MINUTE_SECONDS = 60;
const WEEK_STEP_SECONDS = 600;
const MINUTES_A_DAY = 1_440;
const MINUTES_AN_HOUR = 60;
const STEPS_A_WEEK = 1_008;
const MINUTES_A_STEP = WEEK_STEP_SECONDS / MINUTE_SECONDS;

export const HISTORY_SPANS = ['hour', 'day', 'week'] as const;
export type HistorySpan = (typeof HISTORY_SPANS)[number];

/** One moment; `endSeconds` is a whole number of minutes since the epoch. */
export interface HistoryPoint {
  readonly endSeconds: number;
  readonly values: SeriesValues;
}

/** Points one after the other, as they are saved: `values` has the series one after the other, each oldest first. */
export interface HistoryPoints {
  readonly stepSeconds: number;
  /** Of the last of them, since the epoch. */
  readonly endSeconds: number;
  readonly count: number;
  readonly values: Float32Array;
}

/** As /stats/history.json gives it out (docs/operations.md, "Statistics"). */
export interface HistoryDocument {
  readonly statsVersion: number;
  readonly span: HistorySpan;
  readonly stepSeconds: number;
  /** Of the last point, since the epoch. */
  readonly endSeconds: number;
  /** Each as long as the others, oldest first; null where the tracker was down, or there was nothing to tell. */
  readonly series: Readonly<Record<SeriesName, readonly (number | null)[]>>;
}

/** A point as the events tell of it. */
export interface HistoryPointDocument {
  readonly endSeconds: number;
  readonly values: Readonly<Record<SeriesName, number | null>>;
}

export class History {
  readonly #day = new HistoryRing(MINUTE_SECONDS, MINUTES_A_DAY);
  readonly #week = new HistoryRing(WEEK_STEP_SECONDS, STEPS_A_WEEK);
  readonly #values = new Float32Array(SERIES_COUNT);
  /** The first minute that this process has seen. */
  #firstOwn = Number.POSITIVE_INFINITY;
  #restarts = 0;
  #revision = 0;

  /** Another number whenever a point was added or taken in. */
  get revision(): number {
    return this.#revision;
  }

  /** How often a tracker started on this store after the first time, as far as is known. */
  get restarts(): number {
    return this.#restarts;
  }

  /** When the last point ends; 0 before the first. */
  get endSeconds(): number {
    return Math.max(0, this.#day.newest * MINUTE_SECONDS);
  }

  /** A minute of this process has ended. */
  add({ endSeconds, values }: HistoryPoint): void {
    const slot = Math.round(endSeconds / MINUTE_SECONDS);
    this.#revision += 1;
    this.#firstOwn = Math.min(this.#firstOwn, slot);
    this.#day.write(slot, values);
    this.#combine(slot);
  }

  /**
   * Takes saved points in. `nowSeconds`: nothing that is later than the step under way is believed. Points of another
   * step than those kept here are left out.
   */
  restore({ stepSeconds, endSeconds, count, values }: HistoryPoints, nowSeconds: number): void {
    const ring = [this.#day, this.#week].find((one) => one.stepSeconds === stepSeconds);
    if (ring === undefined) return;
    this.#revision += 1;
    const last = Math.round(endSeconds / stepSeconds);
    for (let index = 0; index < count; index += 1) {
      const slot = last - (count - 1 - index);
      if (slot < 0 || slot * stepSeconds >= nowSeconds + stepSeconds) continue;
      for (let series = 0; series < SERIES_COUNT; series += 1) {
        this.#values[series] = values[series * count + index] ?? Number.NaN;
      }
      if (Number.isNaN(this.#values[ALWAYS_KNOWN])) continue;
      if (ring === this.#day) this.#restoreMinute(slot);
      else if (!ring.has(slot)) ring.write(slot, this.#values);
    }
  }

  /** A tracker on this store had been restarted so often before. */
  noteEarlierStarts(restarts: number): void {
    this.#restarts = Math.max(this.#restarts, restarts + 1);
  }

  /** The minutes that this process has seen and that ended after `endSeconds`; undefined when there are none. */
  ownMinutesAfter(endSeconds: number): HistoryPoints | undefined {
    return pointsOf(this.#day, Math.max(this.#firstOwn, Math.floor(endSeconds / MINUTE_SECONDS) + 1));
  }

  /** Everything, for a snapshot: the week, then the day. */
  get points(): readonly HistoryPoints[] {
    return [this.#week, this.#day]
      .map((ring) => pointsOf(ring, ring.oldest))
      .filter((all) => all !== undefined);
  }

  document(span: HistorySpan, nowSeconds: number): HistoryDocument {
    const ring = span === 'week' ? this.#week : this.#day;
    const { stepSeconds } = ring;
    const count = span === 'hour' ? MINUTES_AN_HOUR : ring.places;
    const last = lastWhole(ring, nowSeconds);
    const series: Partial<Record<SeriesName, readonly (number | null)[]>> = {};
    for (const [index, { name, decimals }] of HISTORY_SERIES.entries()) {
      series[name] = Array.from({ length: count }, (_, at) =>
        shownValue(ring.value(last - count + 1 + at, index), decimals),
      );
    }
    return {
      statsVersion: STATS_VERSION,
      span,
      stepSeconds,
      endSeconds: last * stepSeconds,
      series: series as HistoryDocument['series'],
    };
  }

  #restoreMinute(slot: number): void {
    const day = this.#day;
    if (slot >= this.#firstOwn) return;
    const isBusier = (this.#values[ANNOUNCES] ?? 0) > day.value(slot, ANNOUNCES);
    if (day.has(slot) && !isBusier) return;
    day.write(slot, this.#values);
    this.#combine(slot);
  }

  /** Makes the point of the ten minutes that this minute is part of. */
  #combine(minute: number): void {
    const step = Math.ceil(minute / MINUTES_A_STEP);
    const first = (step - 1) * MINUTES_A_STEP + 1;
    if (first < this.#day.oldest && this.#week.has(step)) return;
    for (const [series, { combined }] of HISTORY_SERIES.entries()) {
      let [sum, most, known] = [0, Number.NEGATIVE_INFINITY, 0];
      for (let slot = first; slot < first + MINUTES_A_STEP; slot += 1) {
        const value = this.#day.value(slot, series);
        if (Number.isNaN(value)) continue;
        sum += value;
        most = Math.max(most, value);
        known += 1;
      }
      this.#values[series] = known === 0 ? Number.NaN : combined === 'max' ? most : sum / known;
    }
    this.#week.write(step, this.#values);
  }
}

export function pointDocument({ endSeconds, values }: HistoryPoint): HistoryPointDocument {
  return { endSeconds, values: namedValues(values) };
}

/** The last slot to show: the newest, unless that is long past, when there is a hole at the end. */
function lastWhole(ring: HistoryRing, nowSeconds: number): number {
  const now = Math.floor(nowSeconds / ring.stepSeconds);
  return ring.newest >= now - 1 ? Math.min(ring.newest, now) : now;
}

/** From the first slot on that has a point. */
function pointsOf(ring: HistoryRing, from: number): HistoryPoints | undefined {
  let first = Math.max(from, ring.oldest);
  while (first <= ring.newest && !ring.has(first)) first += 1;
  const count = ring.newest - first + 1;
  if (count <= 0) return undefined;
  const values = new Float32Array(count * SERIES_COUNT);
  for (let series = 0; series < SERIES_COUNT; series += 1) {
    for (let index = 0; index < count; index += 1) {
      values[series * count + index] = ring.value(first + index, series);
    }
  }
  return { stepSeconds: ring.stepSeconds, endSeconds: ring.newest * ring.stepSeconds, count, values };
}

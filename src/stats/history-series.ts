/**
 * What is kept of each minute: the series of the history, in the order in which they are stored. That order is part of
 * the storage format (docs/storage-format.md): a series may be added at the end, none may be moved or taken out.
 */

export interface HistorySeries {
  readonly name: string;
  /** Decimals that mean something. */
  readonly decimals: number;
  /** What stands for several minutes: their mean, or the worst of them. */
  readonly combined: 'mean' | 'max';
}

export const HISTORY_SERIES = [
  { name: 'peers', decimals: 0, combined: 'mean' },
  { name: 'seeders', decimals: 0, combined: 'mean' },
  { name: 'leechers', decimals: 0, combined: 'mean' },
  { name: 'swarms', decimals: 0, combined: 'mean' },
  { name: 'announcesPerSecond', decimals: 2, combined: 'mean' },
  { name: 'scrapesPerSecond', decimals: 2, combined: 'mean' },
  /** Answers that blame the client, and failures of the tracker's own. */
  { name: 'errorsPerSecond', decimals: 2, combined: 'mean' },
  { name: 'latencyP50Ms', decimals: 3, combined: 'mean' },
  { name: 'latencyP99Ms', decimals: 3, combined: 'max' },
  { name: 'loopDelayP99Ms', decimals: 3, combined: 'max' },
  { name: 'memoryBytes', decimals: 0, combined: 'max' },
  { name: 'saveAgeSeconds', decimals: 0, combined: 'max' },
  { name: 'secondsAtRisk', decimals: 0, combined: 'max' },
] as const satisfies readonly HistorySeries[];

export type SeriesName = (typeof HISTORY_SERIES)[number]['name'];

export const SERIES_COUNT = HISTORY_SERIES.length;
/** Known of every minute: where it is missing, there is no point. */
export const ALWAYS_KNOWN = 0;
/** By it the busier of two trackers is told. */
export const ANNOUNCES = HISTORY_SERIES.findIndex(({ name }) => name === 'announcesPerSecond');

/** One value for each series, in their order; NaN where there is none. */
export type SeriesValues = Float32Array;

/** The values by name, rounded to what means something; null where there is none. */
export function namedValues(values: SeriesValues): Readonly<Record<SeriesName, number | null>> {
  const named: Partial<Record<SeriesName, number | null>> = {};
  for (const [index, { name, decimals }] of HISTORY_SERIES.entries()) {
    named[name] = shownValue(values[index]!, decimals);
  }
  return named as Record<SeriesName, number | null>;
}

const SCALES = [1, 10, 100, 1_000];

export function shownValue(value: number, decimals: number): number | null {
  if (!Number.isFinite(value)) return null;
  const scale = SCALES[decimals]!;
  return Math.round(value * scale) / scale;
}
